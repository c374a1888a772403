#include "core/protocol/message.h"

#include <fmt/format.h>

#include <utility>

#include "core/base/strict_json.h"

namespace spd::protocol {
namespace {

using nlohmann::ordered_json;

const char* nameOf(Code code) {
    switch (code) {
        case Code::parse_error:
            return "parse_error";
        case Code::invalid_request:
            return "invalid_request";
        case Code::unknown_method:
            return "unknown_method";
        case Code::invalid_params:
            return "invalid_params";
        case Code::cancelled:
            return "cancelled";
        case Code::busy:
            return "busy";
    }
    return "internal";
}

std::pair<int, const char*> codeOf(ErrorKind kind) {
    switch (kind) {
        case ErrorKind::invalid_argument:
            return {-32000, "invalid_argument"};
        case ErrorKind::not_found:
            return {-32001, "not_found"};
        case ErrorKind::file_format:
            return {-32002, "file_format"};
        case ErrorKind::unsupported_model:
            return {-32003, "unsupported_model"};
        case ErrorKind::out_of_memory:
            return {-32004, "out_of_memory"};
        case ErrorKind::io:
            return {-32005, "io"};
        case ErrorKind::diverged:
            return {-32006, "diverged"};
        case ErrorKind::internal:
            break;
    }
    return {-32007, "internal"};
}

std::string lineOf(const ordered_json& message) {
    return fmt::format("{}\n", message.dump(-1, ' ', false, ordered_json::error_handler_t::replace));
}

Failure readFailure(const ordered_json& error) {
    if (!error.is_object() || !error.contains("code") || !error["code"].is_number_integer() ||
        !error.contains("message") || !error["message"].is_string())
        throw Refusal(Code::invalid_request, "an error without code and message");
    Failure failure = {
        .code = error["code"].get<int>(), .message = error["message"], .kind = {}, .data = nullptr};
    if (error.contains("data") && error["data"].is_object()) {
        const ordered_json& data = error["data"];
        if (data.contains("kind") && data["kind"].is_string())
            failure.kind = data["kind"];
        if (data.contains("details"))
            failure.data = data["details"];
    }
    return failure;
}

ordered_json paramsOf(ordered_json& message) {
    if (!message.contains("params"))
        return ordered_json::object();
    if (!message["params"].is_object())
        throw Refusal(Code::invalid_request, "params must be an object");
    return std::move(message["params"]);
}

ordered_json parseObject(std::string_view line, size_t max_bytes) {
    ordered_json message;
    try {
        message = parseStrictJson(line, "message", {.max_bytes = max_bytes, .max_depth = 32});
    } catch (const Error& error) {
        throw Refusal(Code::parse_error, error.what());
    }
    if (!message.is_object() || !message.contains("jsonrpc") || message["jsonrpc"] != "2.0")
        throw Refusal(Code::invalid_request, "no JSON-RPC 2.0 message");
    return message;
}

}  // namespace

Refusal::Refusal(Code code, std::string message)
    : failure_{.code = static_cast<int>(code),
               .message = std::move(message),
               .kind = nameOf(code),
               .data = nullptr} {}

Message parseMessage(std::string_view line, size_t max_bytes) {
    ordered_json message = parseObject(line, max_bytes);
    const bool has_id = message.contains("id");
    if (has_id && !message["id"].is_string() && !message["id"].is_number_integer() &&
        !message["id"].is_null())
        throw Refusal(Code::invalid_request, "an id must be a string or an integer");
    if (message.contains("method")) {
        if (!message["method"].is_string() || (has_id && message["id"].is_null()))
            throw Refusal(Code::invalid_request, "a method must be a string, its id a string or an integer");
        if (!has_id)
            return Notification{message["method"], paramsOf(message)};
        return Request{message["id"], message["method"], paramsOf(message)};
    }
    if (!has_id || message.contains("result") == message.contains("error"))
        throw Refusal(Code::invalid_request, "neither a request nor a response");
    if (message.contains("error"))
        return Response{message["id"], readFailure(message["error"])};
    return Response{message["id"], std::move(message["result"])};
}

std::string toLine(const Request& request) {
    return lineOf(
        {{"jsonrpc", "2.0"}, {"id", request.id}, {"method", request.method}, {"params", request.params}});
}

std::string toLine(const Notification& notification) {
    return lineOf({{"jsonrpc", "2.0"}, {"method", notification.method}, {"params", notification.params}});
}

std::string toLine(const Response& response) {
    ordered_json message = {{"jsonrpc", "2.0"}, {"id", response.id}};
    if (const auto* failure = std::get_if<Failure>(&response.outcome)) {
        ordered_json data = {{"kind", failure->kind}};
        if (!failure->data.is_null())
            data["details"] = failure->data;
        message["error"] = {{"code", failure->code}, {"message", failure->message}, {"data", data}};
    } else {
        message["result"] = std::get<ordered_json>(response.outcome);
    }
    return lineOf(message);
}

Failure failureOf(const Error& error) {
    const auto [code, kind] = codeOf(error.kind());
    Failure failure = {.code = code, .message = error.what(), .kind = kind, .data = nullptr};
    if (!error.details().empty())
        failure.data = error.details();
    return failure;
}

}  // namespace spd::protocol
