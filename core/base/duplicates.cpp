#include "core/base/duplicates.h"

#include <algorithm>
#include <cstdint>

namespace spd {
namespace {

/// First eight bytes as a big-endian number: orders as the texts do, and ties are rare.
uint64_t leadingBytes(std::string_view text) {
    uint64_t value = 0;
    for (size_t i = 0; i < 8; ++i)
        value = (value << 8) | (i < text.size() ? static_cast<unsigned char>(text[i]) : 0u);
    return value;
}

}  // namespace

std::optional<size_t> findDuplicate(const std::vector<std::string_view>& texts) {
    struct Ranked {
        uint64_t leading;
        size_t index;
    };
    std::vector<Ranked> ranked;
    ranked.reserve(texts.size());
    for (size_t i = 0; i < texts.size(); ++i)
        ranked.push_back({leadingBytes(texts[i]), i});
    std::sort(ranked.begin(), ranked.end(), [&texts](const Ranked& a, const Ranked& b) {
        if (a.leading != b.leading)
            return a.leading < b.leading;
        const int order = texts[a.index].compare(texts[b.index]);
        return order != 0 ? order < 0 : a.index < b.index;
    });
    std::optional<size_t> first;
    for (size_t i = 1; i < ranked.size(); ++i)
        if (texts[ranked[i].index] == texts[ranked[i - 1].index])
            first = std::min(first.value_or(ranked[i].index), ranked[i].index);
    return first;
}

}  // namespace spd
