#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

#include "core/text/bpe/merge_queue.h"
#include "core/text/bpe/merge_table.h"
#include "core/text/bpe/vocabulary.h"

namespace spd {

/// A token and the bytes [begin, end) of the piece that it stands for.
struct PieceToken {
    int32_t id;
    uint32_t begin;
    uint32_t end;
};

/// What becomes of a byte whose character is not in the vocabulary; a vocabulary made from a corpus may lack
/// bytes that the corpus lacks.
struct UnknownBytes {
    int32_t unknown_id = -1;     ///< unk_token; -1: the byte is dropped
    bool fuse = false;           ///< fuse_unk: neighbours make one token
    bool byte_fallback = false;  ///< tokens <0xNN> of the UTF-8 of the byte's character, where all are there
};

/// Byte pair encoding of one piece at a time. Immutable, thread-safe.
class BpeModel {
public:
    /// Memory that calls reuse; one per thread. Side by side and not in one struct: a piece of some megabytes
    /// then needs no block so large that the allocator maps it anew for every text.
    struct Workspace {
        std::vector<PieceToken> tokens;
        std::vector<uint32_t> ranks;   ///< of the merge with the next token
        std::vector<uint32_t> before;  ///< neighbours in a long piece
        std::vector<uint32_t> after;
        MergeQueue queue;
    };

    /// @param vocabulary  must outlive this object; its tokens are written in byte characters.
    /// @param ignore_merges  a piece that is a whole token becomes it without merging.
    BpeModel(const Vocabulary& vocabulary, const std::vector<Merge>& merges, UnknownBytes unknown,
             bool ignore_merges);

    /// The tokens of a piece in workspace.tokens, valid until the next call. Time is n log n in the piece.
    /// @param piece  bytes, fewer than 2^32.
    const std::vector<PieceToken>& encode(std::string_view piece, Workspace& workspace) const;

    /// Bytes that have no token of their own.
    int missingBytes() const;
    size_t mergeCount() const { return merges_.size(); }

private:
    bool takeWhole(std::string_view piece, std::vector<PieceToken>& tokens) const;
    void makeByteTokens(std::string_view piece, std::vector<PieceToken>& tokens) const;
    MergeTable::Result mergeOf(const PieceToken& left, const PieceToken& right) const {
        return merges_.find(left.id, right.id);
    }
    void mergeShort(Workspace& workspace) const;
    void mergeLong(Workspace& workspace) const;
    void mergeNext(Workspace& workspace) const;
    /// Looks up the merge of `left` with what now follows it, and queues it.
    void rankAgain(uint32_t left, Workspace& workspace) const;

    const Vocabulary* vocabulary_;
    MergeTable merges_;
    UnknownBytes unknown_;
    bool ignore_merges_;
    std::array<int32_t, 256> id_of_byte_ = {};                ///< -1: none
    std::array<std::vector<int32_t>, 256> fallback_of_byte_;  ///< empty: none
    uint32_t cache_key_;
};

}  // namespace spd
