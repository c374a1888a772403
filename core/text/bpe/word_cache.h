#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

#include "core/text/bpe/bpe_model.h"

namespace spd {

/// The tokens of short pieces that were encoded before: most words of a text are repeats. A table of fixed
/// size (1 MiB a thread) in which a newer piece takes the place of an older one; what is in it never changes
/// a result.
class WordCache {
public:
    /// Made on the thread's first call.
    static WordCache& ofThisThread();

    /// @param model  tells the pieces of different models apart.
    /// @param tokens  receives the tokens when the piece is there.
    bool find(uint32_t model, std::string_view piece, std::vector<PieceToken>& tokens) const;
    /// Keeps the piece when it is short enough and its tokens cover it without gaps.
    void store(uint32_t model, std::string_view piece, const std::vector<PieceToken>& tokens);

private:
    static constexpr size_t slot_count = 1 << 14;
    static constexpr size_t longest_piece = 28;
    static constexpr size_t most_tokens = 6;

    struct Slot {  // 64 bytes: a cache line
        uint32_t model = 0;
        int32_t ids[most_tokens] = {};
        uint8_t ends[most_tokens] = {};
        uint8_t token_count = 0;
        uint8_t piece_size = 0;
        char piece[longest_piece] = {};
    };
    static_assert(sizeof(Slot) == 64);

    static size_t slotOf(uint32_t model, std::string_view piece);

    std::vector<Slot> slots_ = std::vector<Slot>(slot_count);
};

}  // namespace spd
