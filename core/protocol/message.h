#pragma once

#include <cstddef>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <variant>

#include "core/base/error.h"

// The messages between a window and its engine: JSON-RPC 2.0, one a line. PROTOCOL.md names each.
namespace spd::protocol {

inline constexpr int kVersion = 1;
/// Longest line that an engine takes, and that a window takes.
inline constexpr size_t kMaxRequestBytes = size_t{4} << 20;
inline constexpr size_t kMaxReplyBytes = size_t{64} << 20;

/// JSON-RPC's codes and ours; those of an ErrorKind are codeOf().
enum class Code : int {
    parse_error = -32700,
    invalid_request = -32600,
    unknown_method = -32601,
    invalid_params = -32602,
    cancelled = -32800,
    busy = -32010,
};

struct Failure {
    int code = 0;
    std::string message;          ///< one line for the user
    std::string kind;             ///< data.kind: an ErrorKind's or a Code's name
    nlohmann::ordered_json data;  ///< data.details: a list of texts, or null
};

struct Request {
    nlohmann::ordered_json id;  ///< a string or an integer
    std::string method;
    nlohmann::ordered_json params;  ///< an object
};

/// Without an id: nobody answers. Events carry params.seq.
struct Notification {
    std::string method;
    nlohmann::ordered_json params;  ///< an object
};

struct Response {
    nlohmann::ordered_json id;  ///< null when the request's was not understood
    std::variant<nlohmann::ordered_json, Failure> outcome;
};

using Message = std::variant<Request, Notification, Response>;

/// Thrown by what answers a request; becomes the error of its response.
class Refusal : public std::exception {
public:
    Refusal(Code code, std::string message);
    const Failure& failure() const { return failure_; }
    const char* what() const noexcept override { return failure_.message.c_str(); }

private:
    Failure failure_;
};

/// One line without its end. @throws Refusal parse_error, invalid_request
Message parseMessage(std::string_view line, size_t max_bytes);

/// A line with its end. Bytes that are no UTF-8 become U+FFFD.
std::string toLine(const Request& request);
std::string toLine(const Notification& notification);
std::string toLine(const Response& response);

/// The error of the table in PROTOCOL.md.
Failure failureOf(const Error& error);

}  // namespace spd::protocol
