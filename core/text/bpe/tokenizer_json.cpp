#include "core/text/bpe/tokenizer_json.h"

#include <fmt/format.h>

#include <algorithm>
#include <numeric>
#include <utility>

#include "core/base/error.h"
#include "core/base/strict_json.h"
#include "core/text/unicode/nfc.h"

namespace spd {
namespace {

constexpr size_t longest_added_token = 1024;
constexpr size_t longest_added_tokens = size_t{1} << 20;  // all together: bounds the matcher's memory

AddedToken readAddedToken(const JsonNode& node) {
    AddedToken token;
    token.id = node.at("id").tokenId();
    token.content = node.at("content").text();
    token.single_word = node.at("single_word").boolean();
    token.lstrip = node.at("lstrip").boolean();
    token.rstrip = node.at("rstrip").boolean();
    token.normalized = node.at("normalized").boolean();
    token.special = node.at("special").boolean();
    if (token.content.empty())
        node.refuse("an added token must not be empty");
    if (token.content.size() > longest_added_token)
        node.refuse(fmt::format("an added token of {} bytes, more than {}", token.content.size(),
                                longest_added_token));
    return token;
}

/// The library gives an added token the id that its text has in the vocabulary, else the next one that is
/// free, and the id in the file is only compared; a file in which they differ means something else than it
/// says.
void checkAddedId(const JsonNode& node, const AddedToken& token, const Vocabulary& vocabulary,
                  int32_t& next_id) {
    const int32_t known = vocabulary.idOf(token.content);
    const int32_t expected = known >= 0 ? known : next_id++;
    if (token.id != expected)
        node.refuse(fmt::format("\"{}\" has the id {}, but {} {}", printable(token.content, 60), token.id,
                                known >= 0 ? "the vocabulary says" : "the next free one is", expected));
    if (known < 0 && vocabulary.tokenOf(token.id) != nullptr)
        node.refuse(fmt::format("\"{}\" has the id {}, which \"{}\" has in the vocabulary",
                                printable(token.content, 60), token.id,
                                printable(*vocabulary.tokenOf(token.id), 60)));
}

/// Two with one content, or two that normalisation makes the same.
void refuseRepeated(const JsonNode& list, const std::vector<AddedToken>& tokens) {
    std::vector<size_t> order(tokens.size());
    std::iota(order.begin(), order.end(), size_t{0});
    const auto refuseEqual = [&](const auto& key) {
        std::sort(order.begin(), order.end(),
                  [&](size_t a, size_t b) { return key(a) != key(b) ? key(a) < key(b) : a < b; });
        for (size_t i = 1; i < order.size(); ++i)
            if (key(order[i]) == key(order[i - 1]))
                list.element(order[i]).refuse(fmt::format("\"{}\" is the same token as {}[{}]",
                                                          printable(tokens[order[i]].content, 60),
                                                          list.path(), order[i - 1]));
    };
    refuseEqual([&tokens](size_t i) { return std::string_view(tokens[i].content); });
    refuseEqual(
        [&tokens](size_t i) { return std::pair(tokens[i].normalized, std::string_view(tokens[i].form)); });
}

}  // namespace

void readAddedTokens(const JsonNode& root, TokenizerParts& parts) {
    const auto list = root.find("added_tokens");
    if (!list)
        return;
    list->expectArray();
    size_t bytes = 0;
    auto next_id = static_cast<int32_t>(parts.vocabulary.size());
    for (size_t i = 0; i < list->value().size(); ++i) {
        const JsonNode node = list->element(i);
        AddedToken token = readAddedToken(node);
        checkAddedId(node, token, parts.vocabulary, next_id);
        bytes += token.content.size();
        if (bytes > longest_added_tokens)
            node.refuse(fmt::format("more than {} bytes of added tokens", longest_added_tokens));
        token.form = token.content;
        if (token.normalized && parts.nfc)
            unicode::toNfc(token.content, token.form, nullptr);
        parts.added_tokens.push_back(std::move(token));
    }
    refuseRepeated(*list, parts.added_tokens);
}

TokenizerParts readTokenizerJson(std::string_view json, const std::string& file) {
    JsonLimits limits;
    limits.max_bytes = size_t{64} << 20;
    limits.max_depth = 64;
    const JsonNode::Json tree = parseStrictJson(json, file, limits);
    const JsonNode root(tree, file, "");
    root.expectObject();
    if (const auto version = root.find("version"); version && version->text() != "1.0")
        version->refuseUnsupported(fmt::format("format version \"{}\", not \"1.0\"", version->text()));

    TokenizerParts parts;
    readNormalizer(root, parts);
    readPreTokenizer(root, parts);
    checkDecoder(root);
    readModel(root.at("model"), parts);
    readAddedTokens(root, parts);
    readPostProcessor(root, parts);
    return parts;
}

}  // namespace spd
