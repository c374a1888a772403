#include "core/text/bpe/bpe_model.h"

#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <functional>

#include "core/text/bpe/byte_alphabet.h"
#include "core/text/bpe/word_cache.h"
#include "core/text/text_range.h"

namespace spd {
namespace {

constexpr uint32_t no_symbol = 0xFFFFFFFF;
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
    if (!takeWhole(piece, workspace)) {
        makeSymbols(piece, workspace.symbols);
        if (workspace.symbols.size() <= short_piece)
            mergeShort(workspace.symbols);
        else
            mergeLong(workspace);
        workspace.tokens.clear();
        for (const Symbol& symbol : workspace.symbols)
            workspace.tokens.push_back({symbol.id, symbol.begin, symbol.end});
    }
    cache.store(cache_key_, piece, workspace.tokens);
    return workspace.tokens;
}

bool BpeModel::takeWhole(std::string_view piece, Workspace& workspace) const {
    if (!ignore_merges_ || piece.size() > vocabulary_->longestToken())
        return false;
    const int32_t id = vocabulary_->idOf(toByteCharacters(piece));
    if (id < 0)
        return false;
    workspace.tokens.assign(1, {id, 0, static_cast<uint32_t>(piece.size())});
    return true;
}

/// One symbol for each byte that has a token. The order in which unknown tokens come out beside fallback
/// tokens is the reference's: an unknown one waits until a known byte or the end.
void BpeModel::makeSymbols(std::string_view piece, std::vector<Symbol>& symbols) const {
    symbols.clear();
    const auto add = [&symbols](int32_t id, uint32_t begin, uint32_t end) {
        symbols.push_back({id, begin, end, MergeTable::no_rank, -1, no_symbol, no_symbol});
    };
    TextRange unknown;  // waiting; empty: none
    const auto flushUnknown = [&] {
        if (unknown.end > unknown.begin)
            add(unknown_.unknown_id, static_cast<uint32_t>(unknown.begin),
                static_cast<uint32_t>(unknown.end));
        unknown = {};
    };
    for (uint32_t at = 0; at < piece.size(); ++at) {
        const auto byte = static_cast<unsigned char>(piece[at]);
        if (id_of_byte_[byte] >= 0) {
            flushUnknown();
            add(id_of_byte_[byte], at, at + 1);
        } else if (!fallback_of_byte_[byte].empty()) {
            for (const int32_t id : fallback_of_byte_[byte])
                add(id, at, at + 1);
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

void BpeModel::rankPair(Symbol& left, const Symbol& right) const {
    const MergeTable::Result result = merges_.find(left.id, right.id);
    left.rank = result.rank;
    left.merged = result.merged;
}

void BpeModel::mergeShort(std::vector<Symbol>& symbols) const {
    for (size_t i = 0; i + 1 < symbols.size(); ++i)
        rankPair(symbols[i], symbols[i + 1]);
    while (symbols.size() > 1) {
        // The last symbol has no_rank, and min_element takes the leftmost of equals.
        const auto best = std::min_element(symbols.begin(), symbols.end(),
                                           [](const Symbol& a, const Symbol& b) { return a.rank < b.rank; });
        if (best->rank == MergeTable::no_rank)
            return;
        best->id = best->merged;
        best->end = (best + 1)->end;
        best->rank = MergeTable::no_rank;
        symbols.erase(best + 1);
        if (best + 1 != symbols.end())
            rankPair(*best, *(best + 1));
        if (best != symbols.begin())
            rankPair(*(best - 1), *best);
    }
}

/// The same with a linked list and a heap of (rank, symbol), lowest rank first, then leftmost.
void BpeModel::mergeLong(Workspace& workspace) const {
    std::vector<Symbol>& symbols = workspace.symbols;
    workspace.heap.clear();
    for (uint32_t i = 0; i < symbols.size(); ++i) {
        symbols[i].before = i == 0 ? no_symbol : i - 1;
        symbols[i].after = i + 1 == symbols.size() ? no_symbol : i + 1;
        if (symbols[i].after == no_symbol)
            continue;
        rankPair(symbols[i], symbols[i + 1]);
        if (symbols[i].rank != MergeTable::no_rank)
            workspace.heap.push_back((uint64_t{symbols[i].rank} << 32) | i);
    }
    std::make_heap(workspace.heap.begin(), workspace.heap.end(), std::greater<>());
    while (!workspace.heap.empty())
        takeFromHeap(workspace);
    std::erase_if(symbols, [](const Symbol& symbol) { return symbol.id < 0; });
}

void BpeModel::takeFromHeap(Workspace& workspace) const {
    std::vector<Symbol>& symbols = workspace.symbols;
    std::pop_heap(workspace.heap.begin(), workspace.heap.end(), std::greater<>());
    const uint64_t top = workspace.heap.back();
    workspace.heap.pop_back();
    Symbol& left = symbols[static_cast<uint32_t>(top)];
    // An entry whose pair has changed since: a symbol that was merged away has no rank.
    if (left.rank != top >> 32)
        return;
    Symbol& right = symbols[left.after];
    left.id = left.merged;
    left.end = right.end;
    left.after = right.after;
    left.rank = MergeTable::no_rank;
    right.id = -1;
    right.rank = MergeTable::no_rank;
    const auto push = [&](uint32_t i) {
        rankPair(symbols[i], symbols[symbols[i].after]);
        if (symbols[i].rank != MergeTable::no_rank) {
            workspace.heap.push_back((uint64_t{symbols[i].rank} << 32) | i);
            std::push_heap(workspace.heap.begin(), workspace.heap.end(), std::greater<>());
        }
    };
    if (left.after != no_symbol) {
        symbols[left.after].before = static_cast<uint32_t>(top);
        push(static_cast<uint32_t>(top));
    }
    if (left.before != no_symbol)
        push(left.before);
}

}  // namespace spd
