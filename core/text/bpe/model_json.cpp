// The "model" section of tokenizer.json: vocabulary and merges.

#include <fmt/format.h>

#include <algorithm>

#include "core/base/error.h"
#include "core/text/bpe/byte_alphabet.h"
#include "core/text/bpe/tokenizer_json.h"

namespace spd {
namespace {

using Json = JsonNode::Json;

std::string inQuotes(std::string_view token) {
    return fmt::format("\"{}\"", printable(token, 60));
}

Vocabulary readVocabulary(const JsonNode& node) {
    node.expectObject();
    std::vector<Vocabulary::Entry> entries;
    entries.reserve(node.value().size());
    for (const auto& [token, id] : node.value().items()) {
        // The node is made for its checks and messages alone: 150,000 of them cost too much.
        const bool sound = id.is_number_unsigned() && id.get<uint64_t>() < (1u << 21);
        if (!sound)
            (void)node.at(token).tokenId();
        entries.push_back({token, static_cast<int32_t>(id.get<uint64_t>())});
    }
    std::vector<const Vocabulary::Entry*> by_id;
    by_id.reserve(entries.size());
    for (const Vocabulary::Entry& entry : entries)
        by_id.push_back(&entry);
    std::sort(by_id.begin(), by_id.end(), [](const auto* a, const auto* b) { return a->id < b->id; });
    for (size_t i = 1; i < by_id.size(); ++i)
        if (by_id[i]->id == by_id[i - 1]->id)
            node.refuse(fmt::format("{} and {} have the same id {}", inQuotes(by_id[i - 1]->token),
                                    inQuotes(by_id[i]->token), by_id[i]->id));
    return Vocabulary(std::move(entries));
}

/// "a b" or ["a", "b"].
struct MergeText {
    std::string_view left;
    std::string_view right;
};

MergeText readMergeText(const JsonNode& node, bool as_text) {
    const Json& value = node.value();
    if (as_text) {
        const std::string_view text = node.text();
        const size_t blank = text.find(' ');
        if (blank == std::string_view::npos || text.find(' ', blank + 1) != std::string_view::npos)
            node.refuse("a merge must be two tokens with one space between them");
        return {text.substr(0, blank), text.substr(blank + 1)};
    }
    if (!value.is_array() || value.size() != 2)
        node.refuse("a merge must be an array of two tokens");
    return {node.element(0).text(), node.element(1).text()};
}

Merge resolveMerge(const JsonNode& node, const MergeText& text, const Vocabulary& vocabulary,
                   std::string& product) {
    if (text.left.empty() || text.right.empty())
        node.refuse("a merge with an empty part");
    Merge merge;
    merge.left = vocabulary.idOf(text.left);
    merge.right = vocabulary.idOf(text.right);
    if (merge.left < 0 || merge.right < 0)
        node.refuse(
            fmt::format("{} is not in the vocabulary", inQuotes(merge.left < 0 ? text.left : text.right)));
    product.assign(text.left).append(text.right);
    merge.merged = vocabulary.idOf(product);
    if (merge.merged < 0)
        node.refuse(fmt::format("its product {} is not in the vocabulary", inQuotes(product)));
    return merge;
}

void refuseRepeatedMerge(const JsonNode& list, const std::vector<Merge>& merges,
                         const std::vector<size_t>& places) {
    std::vector<uint32_t> order(merges.size());
    for (uint32_t i = 0; i < order.size(); ++i)
        order[i] = i;
    const auto pair = [&merges](uint32_t i) { return std::pair(merges[i].left, merges[i].right); };
    std::sort(order.begin(), order.end(),
              [&pair](uint32_t a, uint32_t b) { return pair(a) != pair(b) ? pair(a) < pair(b) : a < b; });
    for (size_t i = 1; i < order.size(); ++i)
        if (pair(order[i]) == pair(order[i - 1]))
            list.element(places[order[i]])
                .refuse(fmt::format("the same merge as {}[{}]", list.path(), places[order[i - 1]]));
}

std::vector<Merge> readMerges(const JsonNode& list, const Vocabulary& vocabulary) {
    list.expectArray();
    const Json& values = list.value();
    const bool as_text = !values.empty() && values.front().is_string();
    std::vector<Merge> merges;
    std::vector<size_t> places;
    merges.reserve(values.size());
    places.reserve(values.size());
    std::string product;
    for (size_t i = 0; i < values.size(); ++i) {
        if (as_text && values[i].is_string() &&
            values[i].get_ref<const std::string&>().starts_with("#version"))
            continue;
        const JsonNode node = list.element(i);
        merges.push_back(resolveMerge(node, readMergeText(node, as_text), vocabulary, product));
        places.push_back(i);
    }
    refuseRepeatedMerge(list, merges, places);
    return merges;
}

/// Real vocabularies lack bytes that no text has and rare control characters; without the printable ones it
/// is no byte-level vocabulary.
void checkAlphabet(const JsonNode& node, const Vocabulary& vocabulary) {
    for (unsigned byte = 0x20; byte < 0x7F; ++byte)
        if (vocabulary.idOf(characterOfByte(static_cast<unsigned char>(byte))) < 0)
            node.refuse(
                fmt::format("the byte-level alphabet is incomplete: no token for byte 0x{:02X}", byte));
    if (vocabulary.idOf(characterOfByte('\n')) < 0)
        node.refuse("the byte-level alphabet is incomplete: no token for byte 0x0A");
}

void refuseAffixes(const JsonNode& model) {
    for (const char* name : {"continuing_subword_prefix", "end_of_word_suffix"})
        if (const auto affix = model.find(name); affix && !affix->text().empty())
            affix->refuseUnsupported("byte-level BPE has none");
    if (const auto dropout = model.find("dropout"); dropout && dropout->value() != 0)
        dropout->refuseUnsupported("encoding would be random");
}

bool flag(const JsonNode& model, const char* name) {
    const auto member = model.find(name);
    return member && member->boolean();
}

}  // namespace

void readModel(const JsonNode& model, TokenizerParts& parts) {
    model.expectObject();
    if (const auto type = model.find("type"); type && type->text() != "BPE")
        type->refuseUnsupported(
            fmt::format("unknown model type {}: only BPE is computed", inQuotes(type->text())));
    refuseAffixes(model);
    const JsonNode vocabulary = model.at("vocab");
    parts.vocabulary = readVocabulary(vocabulary);
    checkAlphabet(vocabulary, parts.vocabulary);
    parts.merges = readMerges(model.at("merges"), parts.vocabulary);
    parts.ignore_merges = flag(model, "ignore_merges");
    parts.unknown.fuse = flag(model, "fuse_unk");
    parts.unknown.byte_fallback = flag(model, "byte_fallback");
    if (const auto unknown = model.find("unk_token")) {
        parts.unknown.unknown_id = parts.vocabulary.idOf(unknown->text());
        if (parts.unknown.unknown_id < 0)
            unknown->refuse(fmt::format("{} is not in the vocabulary", inQuotes(unknown->text())));
    }
}

}  // namespace spd
