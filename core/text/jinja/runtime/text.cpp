#include "core/text/jinja/runtime/text.h"

#include <algorithm>

namespace spd::jinja {
namespace {

/// The first range that ends behind `position`.
auto firstRangeBehind(const std::vector<TextRange>& ranges, size_t position) {
    return std::partition_point(ranges.begin(), ranges.end(),
                                [position](const TextRange& range) { return range.end <= position; });
}

}  // namespace

Text makeText(std::string bytes, bool is_content) {
    Text text{std::move(bytes), {}};
    if (is_content && !text.bytes.empty())
        text.content.push_back({0, text.bytes.size()});
    return text;
}

Text sliceText(const Text& text, size_t begin, size_t end) {
    Text out{text.bytes.substr(begin, end - begin), {}};
    for (auto range = firstRangeBehind(text.content, begin);
         range != text.content.end() && range->begin < end; ++range)
        out.content.push_back({std::max(range->begin, begin) - begin, std::min(range->end, end) - begin});
    return out;
}

void TextBuilder::append(std::string_view bytes, bool is_content) {
    makeRoom(bytes.size());
    if (is_content && !bytes.empty())
        addRange({size(), size() + bytes.size()});
    text_.bytes.append(bytes);
}

void TextBuilder::append(const Text& text, size_t begin, size_t end) {
    makeRoom(end - begin);
    const size_t offset = size();
    for (auto range = firstRangeBehind(text.content, begin);
         range != text.content.end() && range->begin < end; ++range)
        addRange(
            {std::max(range->begin, begin) - begin + offset, std::min(range->end, end) - begin + offset});
    text_.bytes.append(text.bytes, begin, end - begin);
}

void TextBuilder::repeat(const Text& text, size_t times) {
    if (text.bytes.empty())
        return;
    if (times > max_output_bytes / text.bytes.size())
        throw Fault("builds a string of more than 8 MiB");
    if (text.hasContent() && !text.isAllContent()) {
        meter_->step(times);
        for (size_t i = 0; i < times; ++i)
            append(text);
        return;
    }
    const size_t begin = size();
    makeRoom(times * text.bytes.size());
    text_.bytes.reserve(begin + times * text.bytes.size());
    for (size_t i = 0; i < times; ++i)
        text_.bytes += text.bytes;
    if (text.hasContent() && times > 0)
        addRange({begin, size()});
}

void TextBuilder::makeRoom(size_t bytes) {
    if (bytes > max_output_bytes - size())
        throw Fault("builds a string of more than 8 MiB");
    meter_->bytes(bytes);
}

void TextBuilder::addRange(TextRange range) {
    if (!text_.content.empty() && text_.content.back().end == range.begin)
        text_.content.back().end = range.end;
    else
        text_.content.push_back(range);
}

}  // namespace spd::jinja
