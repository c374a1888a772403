#include "core/base/strict_json_events.h"

#include <fmt/format.h>

#include <iterator>

#include "core/base/error.h"

namespace spd {
namespace {

/// Walks the text and tells the handler how far the lexer has read; nlohmann passes no position with its
/// events.
class CountingIterator {
public:
    using iterator_category = std::input_iterator_tag;
    using value_type = char;
    using difference_type = std::ptrdiff_t;
    using pointer = const char*;
    using reference = const char&;

    CountingIterator(const char* at, size_t* count) : at_(at), count_(count) {}
    reference operator*() const { return *at_; }
    CountingIterator& operator++() {
        ++at_;
        ++*count_;
        return *this;
    }
    CountingIterator operator++(int) {
        CountingIterator before = *this;
        ++*this;
        return before;
    }
    bool operator==(const CountingIterator& other) const { return at_ == other.at_; }

private:
    const char* at_;
    size_t* count_;
};

/// "[json.exception.parse_error.101] parse error at line 1, column 5: RULE; last read: 'TEXT'" to "RULE". The
/// text read last may be no UTF-8.
std::string ruleOf(std::string_view message) {
    if (const size_t bracket = message.find("] "); bracket != std::string_view::npos)
        message.remove_prefix(bracket + 2);
    if (message.starts_with("parse error at "))
        if (const size_t colon = message.find(": "); colon != std::string_view::npos)
            message.remove_prefix(colon + 2);
    const size_t last_read = message.find("; last read: ");
    if (last_read == std::string_view::npos)
        return std::string(message);
    const size_t expected = message.rfind("'; expected ");
    const std::string_view tail = expected == std::string_view::npos ? "" : message.substr(expected + 1);
    return std::string(message.substr(0, last_read)) + std::string(tail);
}

}  // namespace

void StrictJsonEvents::parse(std::string_view text) {
    if (text.size() > limits_.max_bytes)
        refuseAt(limits_.max_bytes, fmt::format("larger than {} bytes", limits_.max_bytes));
    if (text.starts_with("\xEF\xBB\xBF"))
        refuseAt(1, "byte order mark before the JSON text");
    // nlohmann's lexer takes NUL for the end of the text.
    if (const size_t nul = text.find('\0'); nul != std::string_view::npos)
        refuseAt(nul + 1, "NUL in the JSON text");
    position_ = 0;
    depth_ = 0;
    nlohmann::ordered_json::sax_parse(CountingIterator(text.data(), &position_),
                                      CountingIterator(text.data() + text.size(), &position_), this);
}

void StrictJsonEvents::open() {
    if (++depth_ > limits_.max_depth)
        refuse(fmt::format("nested deeper than {}", limits_.max_depth));
}

bool StrictJsonEvents::start_object(std::size_t) {
    open();
    startObject();
    return true;
}

bool StrictJsonEvents::end_object() {
    --depth_;
    endObject();
    return true;
}

bool StrictJsonEvents::start_array(std::size_t) {
    open();
    startArray();
    return true;
}

bool StrictJsonEvents::end_array() {
    --depth_;
    endArray();
    return true;
}

bool StrictJsonEvents::parse_error(std::size_t position, const std::string&,
                                   const nlohmann::detail::exception& error) {
    refuseAt(position, ruleOf(error.what()));
}

void StrictJsonEvents::refuseAt(size_t position, std::string_view rule) const {
    throw Error::fileFormat(file_, fmt::format("byte {}", position), rule);
}

}  // namespace spd
