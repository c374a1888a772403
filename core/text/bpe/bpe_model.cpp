#include "core/text/bpe/bpe_model.h"

#include <fmt/format.h>

#include <algorithm>
#include <atomic>

#include "core/text/bpe/byte_alphabet.h"
#include "core/text/bpe/word_cache.h"
#include "core/text/text_range.h"

namespace spd {
namespace {

constexpr uint32_t no_token = 0xFFFFFFFF;
/// Up to here a scan of all pairs for each merge beats a heap.
constexpr size_t short_piece = 64;

/// <0xNN> tokens of the UTF-8 of `character`; empty when one is missing.
std::vector<int32_t> fallbackTokens(const Vocabulary& vocabulary, const std::string& character) {
    std::vector<int32_t> ids;
    for (const char byte : character) {
        const int32_t id = vocabulary.idOf(fmt::format("<0x{:02X}>", static_cast<unsigned char>(byte)));
        if (id < 0)
            return {};
        ids.push_back(id);
    }
    return ids;
}

std::atomic<uint32_t> next_cache_key = 1;

}  // namespace

BpeModel::BpeModel(const Vocabulary& vocabulary, const std::vector<Merge>& merges, UnknownBytes unknown,
                   bool ignore_merges)
    : vocabulary_(&vocabulary),
      merges_(merges, vocabulary.largestId() + 1),
      unknown_(unknown),
      ignore_merges_(ignore_merges),
      cache_key_(next_cache_key++) {
    for (size_t byte = 0; byte < 256; ++byte) {
        const std::string& character = characterOfByte(static_cast<unsigned char>(byte));
        id_of_byte_[byte] = vocabulary.idOf(character);
        if (id_of_byte_[byte] < 0 && unknown.byte_fallback)
            fallback_of_byte_[byte] = fallbackTokens(vocabulary, character);
    }
}

int BpeModel::missingBytes() const {
    return static_cast<int>(std::count(id_of_byte_.begin(), id_of_byte_.end(), -1));
}

const std::vector<PieceToken>& BpeModel::encode(std::string_view piece, Workspace& workspace) const {
    WordCache& cache = WordCache::ofThisThread();
    if (cache.find(cache_key_, piece, workspace.tokens))
        return workspace.tokens;
    if (!takeWhole(piece, workspace.tokens)) {
        makeByteTokens(piece, workspace.tokens);
        if (workspace.tokens.size() <= short_piece)
            mergeShort(workspace);
        else
            mergeLong(workspace);
    }
    cache.store(cache_key_, piece, workspace.tokens);
    return workspace.tokens;
}

bool BpeModel::takeWhole(std::string_view piece, std::vector<PieceToken>& tokens) const {
    if (!ignore_merges_ || piece.size() > vocabulary_->longestToken())
        return false;
    const int32_t id = vocabulary_->idOf(toByteCharacters(piece));
    if (id < 0)
        return false;
    tokens.assign(1, {id, 0, static_cast<uint32_t>(piece.size())});
    return true;
}

/// One token for each byte that has one. The order in which unknown tokens come out beside fallback tokens is
/// the reference's: an unknown one waits until a known byte or the end.
void BpeModel::makeByteTokens(std::string_view piece, std::vector<PieceToken>& tokens) const {
    tokens.clear();
    tokens.reserve(piece.size());
    TextRange unknown;  // waiting; empty: none
    const auto flushUnknown = [&] {
        if (unknown.end > unknown.begin)
            tokens.push_back({unknown_.unknown_id, static_cast<uint32_t>(unknown.begin),
                              static_cast<uint32_t>(unknown.end)});
        unknown = {};
    };
    for (uint32_t at = 0; at < piece.size(); ++at) {
        const auto byte = static_cast<unsigned char>(piece[at]);
        if (id_of_byte_[byte] >= 0) {
            flushUnknown();
            tokens.push_back({id_of_byte_[byte], at, at + 1});
        } else if (!fallback_of_byte_[byte].empty()) {
            for (const int32_t id : fallback_of_byte_[byte])
                tokens.push_back({id, at, at + 1});
        } else if (unknown_.unknown_id >= 0) {
            if (!unknown_.fuse)
                flushUnknown();
            if (unknown.end == unknown.begin)
                unknown.begin = at;
            unknown.end = at + 1;
        }
    }
    flushUnknown();
}

void BpeModel::mergeShort(Workspace& workspace) const {
    std::vector<PieceToken>& tokens = workspace.tokens;
    std::vector<uint32_t>& ranks = workspace.ranks;
    ranks.assign(tokens.size(), MergeTable::no_rank);  // the last token keeps it
    const auto rank = [&](size_t i) { ranks[i] = mergeOf(tokens[i], tokens[i + 1]).rank; };
    for (size_t i = 0; i + 1 < tokens.size(); ++i)
        rank(i);
    while (tokens.size() > 1) {
        // The leftmost of equals.
        const auto best = static_cast<size_t>(std::min_element(ranks.begin(), ranks.end()) - ranks.begin());
        if (ranks[best] == MergeTable::no_rank)
            return;
        tokens[best].id = mergeOf(tokens[best], tokens[best + 1]).merged;
        tokens[best].end = tokens[best + 1].end;
        tokens.erase(tokens.begin() + static_cast<std::ptrdiff_t>(best) + 1);
        ranks.erase(ranks.begin() + static_cast<std::ptrdiff_t>(best));
        if (best + 1 < tokens.size())
            rank(best);
        if (best > 0)
            rank(best - 1);
    }
}

/// The same with a linked list and a queue instead of a scan of all pairs for each merge.
void BpeModel::mergeLong(Workspace& workspace) const {
    std::vector<PieceToken>& tokens = workspace.tokens;
    const auto count = static_cast<uint32_t>(tokens.size());
    workspace.ranks.assign(count, MergeTable::no_rank);
    workspace.before.resize(count);
    workspace.after.resize(count);
    workspace.queue.clear();
    for (uint32_t i = 0; i < count; ++i) {
        workspace.before[i] = i == 0 ? no_token : i - 1;
        workspace.after[i] = i + 1 == count ? no_token : i + 1;
        rankAgain(i, workspace);
    }
    while (!workspace.queue.empty())
        mergeNext(workspace);
    std::erase_if(tokens, [](const PieceToken& token) { return token.id < 0; });
}

void BpeModel::rankAgain(uint32_t left, Workspace& workspace) const {
    const uint32_t right = workspace.after[left];
    uint32_t& rank = workspace.ranks[left];
    rank = right == no_token ? MergeTable::no_rank
                             : mergeOf(workspace.tokens[left], workspace.tokens[right]).rank;
    if (rank != MergeTable::no_rank)
        workspace.queue.push({rank, left});
}

void BpeModel::mergeNext(Workspace& workspace) const {
    std::vector<PieceToken>& tokens = workspace.tokens;
    const auto [rank, left] = workspace.queue.take();
    // An entry whose pair has changed since is void; a token that was merged away has no rank.
    if (workspace.ranks[left] != rank)
        return;
    const uint32_t right = workspace.after[left];
    const uint32_t next = workspace.after[right];
    tokens[left].id = mergeOf(tokens[left], tokens[right]).merged;
    tokens[left].end = tokens[right].end;
    tokens[right].id = -1;
    workspace.ranks[right] = MergeTable::no_rank;
    workspace.after[left] = next;
    if (next != no_token)
        workspace.before[next] = left;
    rankAgain(left, workspace);
    if (workspace.before[left] != no_token)
        rankAgain(workspace.before[left], workspace);
}

}  // namespace spd
