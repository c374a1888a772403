#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "core/text/jinja/runtime/meter.h"
#include "core/text/text_range.h"

namespace spd::jinja {

/// A string of the template language: valid UTF-8, and which of its bytes came out of the conversation rather
/// than out of the template (`content`: sorted, disjoint, not touching). Operations carry the ranges along;
/// where one mixes its inputs byte by byte, the whole result counts as content if any input did.
struct Text {
    std::string bytes;
    std::vector<TextRange> content;

    bool hasContent() const { return !content.empty(); }
    bool isAllContent() const { return content.size() == 1 && content[0] == TextRange{0, bytes.size()}; }
};

/// `bytes` wholly content or wholly not.
Text makeText(std::string bytes, bool is_content);
/// Bytes [begin, end) of `text` with their ranges.
Text sliceText(const Text& text, size_t begin, size_t end);

/// Builds a string of at most max_output_bytes; the size is checked before memory is taken. @throws Fault
class TextBuilder {
public:
    explicit TextBuilder(Meter& meter) : meter_(&meter) {}

    void append(std::string_view bytes, bool is_content = false);
    void append(const Text& text) { append(text, 0, text.bytes.size()); }
    void append(const Text& text, size_t begin, size_t end);
    void repeat(const Text& text, size_t times);

    size_t size() const { return text_.bytes.size(); }
    Text take() { return std::move(text_); }

private:
    void makeRoom(size_t bytes);
    void addRange(TextRange range);

    Meter* meter_;
    Text text_;
};

}  // namespace spd::jinja
