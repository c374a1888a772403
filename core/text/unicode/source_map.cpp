#include "core/text/unicode/source_map.h"

#include <algorithm>

namespace spd {

const SourceMap::Change* SourceMap::changeBefore(size_t position) const {
    const auto after =
        std::upper_bound(changes_.begin(), changes_.end(), position,
                         [](size_t value, const Change& change) { return value < change.rewritten.begin; });
    return after == changes_.begin() ? nullptr : &*(after - 1);
}

TextRange SourceMap::toSource(TextRange rewritten) const {
    TextRange source = rewritten;
    if (const Change* change = changeBefore(rewritten.begin)) {
        const bool inside = rewritten.begin < change->rewritten.end;
        source.begin =
            inside ? change->source.begin : change->source.end + rewritten.begin - change->rewritten.end;
    }
    if (rewritten.end == rewritten.begin) {
        source.end = source.begin;
    } else if (const Change* change = changeBefore(rewritten.end - 1)) {
        const bool inside = rewritten.end <= change->rewritten.end;
        source.end = inside ? change->source.end : change->source.end + rewritten.end - change->rewritten.end;
    }
    return source;
}

}  // namespace spd
