#include "tests/support/small_tokenizer.h"

#include "core/text/bpe/byte_alphabet.h"
#include "core/text/unicode/utf8.h"

namespace spd::test {

using Json = nlohmann::ordered_json;

const std::string_view qwen2_regex =
    R"((?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+)";
const std::string_view llama3_regex =
    R"((?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+)";

Json byteLevel(bool use_regex) {
    return {
        {"type", "ByteLevel"}, {"add_prefix_space", false}, {"trim_offsets", true}, {"use_regex", use_regex}};
}

Json splitThenByteLevel(std::string_view regex) {
    const Json split = {
        {"type", "Split"}, {"pattern", {{"Regex", regex}}}, {"behavior", "Isolated"}, {"invert", false}};
    return {{"type", "Sequence"}, {"pretokenizers", Json::array({split, byteLevel(false)})}};
}

Json addedToken(int id, std::string_view content, bool special) {
    return {{"id", id},        {"content", content},  {"single_word", false}, {"lstrip", false},
            {"rstrip", false}, {"normalized", false}, {"special", special}};
}

Json smallTokenizer(const std::vector<std::string>& words) {
    Json vocabulary = Json::object();
    for (int byte = 0; byte < 256; ++byte)
        vocabulary[characterOfByte(static_cast<unsigned char>(byte))] = byte;
    Json merges = Json::array();
    for (const std::string& word : words) {
        size_t end = unicode::decodeValid(word.data()).length;
        while (end < word.size()) {
            const size_t next = end + unicode::decodeValid(word.data() + end).length;
            if (!vocabulary.contains(word.substr(0, next))) {
                vocabulary[word.substr(0, next)] = vocabulary.size();
                merges.push_back(Json::array({word.substr(0, end), word.substr(end, next - end)}));
            }
            end = next;
        }
    }
    const Json model = {{"type", "BPE"},
                        {"dropout", nullptr},
                        {"unk_token", nullptr},
                        {"vocab", vocabulary},
                        {"merges", merges}};
    return {{"version", "1.0"},
            {"truncation", nullptr},
            {"padding", nullptr},
            {"added_tokens", Json::array()},
            {"normalizer", nullptr},
            {"pre_tokenizer", byteLevel(true)},
            {"post_processor", nullptr},
            {"decoder", byteLevel(true)},
            {"model", model}};
}

}  // namespace spd::test
