#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

#include "core/base/strict_json.h"

namespace spd {

/// Base of handlers that take a foreign JSON text value by value instead of as a tree (nlohmann's SAX
/// events). Checks what parseStrictJson() checks except duplicate keys, which only the handler can know of.
class StrictJsonEvents : public nlohmann::json_sax<nlohmann::ordered_json> {
public:
    /// Sends the events of `text` to this handler, without recursion. @throws Error file_format
    void parse(std::string_view text);

    bool start_object(std::size_t) final;
    bool end_object() final;
    bool start_array(std::size_t) final;
    bool end_array() final;
    bool binary(binary_t&) final { return true; }  // never in a text
    bool parse_error(std::size_t position, const std::string& last_token,
                     const nlohmann::detail::exception& error) final;

protected:
    StrictJsonEvents(std::string file, const JsonLimits& limits) : file_(std::move(file)), limits_(limits) {}

    virtual void startObject() = 0;
    virtual void endObject() = 0;
    virtual void startArray() = 0;
    virtual void endArray() = 0;

    /// Bytes of the text read so far: the position that messages name.
    size_t position() const { return position_; }
    /// @throws Error file_format "FILE: byte N: RULE"
    [[noreturn]] void refuse(std::string_view rule) const { refuseAt(position_, rule); }
    [[noreturn]] void refuseAt(size_t position, std::string_view rule) const;

private:
    void open();

    std::string file_;
    JsonLimits limits_;
    size_t position_ = 0;
    int depth_ = 0;
};

}  // namespace spd
