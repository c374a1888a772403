#include "core/text/bpe/word_cache.h"

#include <algorithm>
#include <cstring>

namespace spd {

WordCache& WordCache::ofThisThread() {
    static thread_local WordCache cache;
    return cache;
}

size_t WordCache::slotOf(uint32_t model, std::string_view piece) {
    uint64_t hash = model + (piece.size() << 32);
    for (size_t at = 0; at < piece.size(); at += 8) {
        uint64_t word = 0;
        std::memcpy(&word, piece.data() + at, std::min<size_t>(8, piece.size() - at));
        hash = (hash ^ word) * 0x9E3779B97F4A7C15u;
        hash ^= hash >> 32;
    }
    return hash % slot_count;
}

bool WordCache::find(uint32_t model, std::string_view piece, std::vector<PieceToken>& tokens) const {
    if (piece.size() > longest_piece)
        return false;
    const Slot& slot = slots_[slotOf(model, piece)];
    if (slot.model != model || std::string_view(slot.piece, slot.piece_size) != piece)
        return false;
    tokens.clear();
    uint32_t begin = 0;
    for (size_t i = 0; i < slot.token_count; ++i) {
        tokens.push_back({slot.ids[i], begin, slot.ends[i]});
        begin = slot.ends[i];
    }
    return true;
}

void WordCache::store(uint32_t model, std::string_view piece, const std::vector<PieceToken>& tokens) {
    if (piece.size() > longest_piece || tokens.size() > most_tokens)
        return;
    uint32_t end = 0;
    for (const PieceToken& token : tokens) {
        if (token.begin != end)
            return;
        end = token.end;
    }
    if (end != piece.size())
        return;
    Slot& slot = slots_[slotOf(model, piece)];
    slot.model = model;
    slot.token_count = static_cast<uint8_t>(tokens.size());
    slot.piece_size = static_cast<uint8_t>(piece.size());
    std::copy(piece.begin(), piece.end(), slot.piece);
    for (size_t i = 0; i < tokens.size(); ++i) {
        slot.ids[i] = tokens[i].id;
        slot.ends[i] = static_cast<uint8_t>(tokens[i].end);
    }
}

}  // namespace spd
