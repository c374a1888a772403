#pragma once

#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

namespace spd {

/// Why something failed; each kind has one exit code, so scripts can tell them apart.
enum class ErrorKind {
    invalid_argument,   ///< a command line option, an option's value, an experiment file      exit 2
    not_found,          ///< a path or model that is not there                                 exit 2
    file_format,        ///< the content of a file is refused                                  exit 3
    unsupported_model,  ///< a sound checkpoint of a kind that the program does not compute    exit 3
    out_of_memory,      ///< exit 1
    io,                 ///< disk full, no permission, file changed while read                  exit 1
    diverged,           ///< numbers that are not finite                                        exit 1
    internal,           ///< a bug of ours                                                      exit 1
};

/// The one exception type of the project. `what()` is one line for the user: file, position, rule.
class Error : public std::runtime_error {
public:
    Error(ErrorKind kind, const std::string& message);

    /// "FILE: POSITION: RULE" with control characters escaped; an empty position is left out.
    static Error fileFormat(std::string_view file, std::string_view position, std::string_view rule);

    ErrorKind kind() const { return kind_; }
    int exitCode() const;

    /// The single refusals where there are several (bad rows of a JSON Lines file, tensors that do not fit);
    /// `what()` then names the first and how many more. Empty for a single one.
    const std::vector<std::string>& details() const { return details_; }
    Error& withDetails(std::vector<std::string> details);

    /// errno of the system call that failed; 0 where none did.
    int systemCode() const { return system_code_; }
    Error& withSystemCode(int code);
    /// The disk or the quota is full: what failed may succeed later.
    bool isDiskFull() const;

private:
    ErrorKind kind_;
    std::vector<std::string> details_;
    int system_code_ = 0;
};

/// Thrown by a stage when its stop token was triggered. Partial artifacts stay.
class Cancelled : public std::exception {
public:
    const char* what() const noexcept override { return "cancelled"; }
};

/// Text of a foreign file made safe for one terminal line and for JSON: control characters (C0, C1), those
/// that turn the direction of writing, and bytes that are no UTF-8 as \xNN a byte; cut at `max_bytes` on a
/// character border with an ellipsis.
std::string printable(std::string_view text, size_t max_bytes = 200);

}  // namespace spd
