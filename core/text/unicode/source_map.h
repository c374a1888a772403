#pragma once

#include <cstddef>
#include <vector>

#include "core/text/text_range.h"

namespace spd {

/// Where the bytes of a rewritten text came from. Only the stretches that changed are kept; between them the
/// texts are equal. A changed stretch is one piece: any part of it came from the whole of its source.
class SourceMap {
public:
    /// @param rewritten, source  bytes of the two texts; to be called from left to right.
    void addChanged(TextRange rewritten, TextRange source) { changes_.push_back({rewritten, source}); }

    /// The bytes of the source that bytes [begin, end) of the rewritten text came from.
    TextRange toSource(TextRange rewritten) const;

private:
    struct Change {
        TextRange rewritten;
        TextRange source;
    };
    /// The last change that begins at or before `position`, or nullptr.
    const Change* changeBefore(size_t position) const;

    std::vector<Change> changes_;
};

}  // namespace spd
