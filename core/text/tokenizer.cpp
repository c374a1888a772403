#include "core/text/tokenizer.h"

#include <fmt/format.h>

#include <algorithm>

#include "core/base/contained_folder.h"
#include "core/base/error.h"
#include "core/base/files.h"
#include "core/base/sha256.h"
#include "core/text/bpe/encode_run.h"
#include "core/text/bpe/tokenizer_impl.h"
#include "core/text/unicode/utf8.h"

namespace spd {
namespace {

constexpr size_t longest_file = size_t{64} << 20;
constexpr size_t longest_text = size_t{1} << 30;

void addTokens(Encoding& encoding, const std::vector<int32_t>& ids, int64_t position) {
    encoding.ids.insert(encoding.ids.end(), ids.begin(), ids.end());
    encoding.ranges.insert(encoding.ranges.end(), ids.size(), TokenRange{position, position});
}

void checkLength(std::string_view text) {
    if (text.size() > longest_text)
        throw Error(ErrorKind::invalid_argument,
                    fmt::format("a text of {} bytes is too long to encode: the limit is {}", text.size(),
                                longest_text));
}

}  // namespace

Tokenizer Tokenizer::open(const std::filesystem::path& folder) {
    const ContainedFolder files = ContainedFolder::open(folder);
    return parse(files.readFile("tokenizer.json", longest_file), files.nameOf("tokenizer.json"));
}

Tokenizer Tokenizer::parse(const std::string& json, const std::string& file) {
    return Tokenizer(std::make_unique<Impl>(readTokenizerJson(json, file), sha256Hex(json)));
}

Tokenizer::Tokenizer(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Tokenizer::Tokenizer(Tokenizer&&) noexcept = default;
Tokenizer& Tokenizer::operator=(Tokenizer&&) noexcept = default;
Tokenizer::~Tokenizer() = default;

std::vector<int32_t> Tokenizer::encode(std::string_view text, SpecialTokens special) const {
    checkLength(text);
    std::vector<int32_t> ids;
    if (special == SpecialTokens::add)
        ids = impl_->ids_before;
    EncodeRun(*impl_, ids, nullptr).encode(text);
    if (special == SpecialTokens::add)
        ids.insert(ids.end(), impl_->ids_after.begin(), impl_->ids_after.end());
    return ids;
}

std::vector<int32_t> Tokenizer::encodeChat(std::string_view text, std::span<const TextRange> content) const {
    checkLength(text);
    std::vector<int32_t> ids;
    EncodeRun(*impl_, ids, nullptr).encode(text, content);
    return ids;
}

Encoding Tokenizer::encodeWithRanges(std::string_view text, SpecialTokens special) const {
    checkLength(text);
    Encoding encoding;
    if (special == SpecialTokens::add)
        addTokens(encoding, impl_->ids_before, 0);
    EncodeRun(*impl_, encoding.ids, &encoding.ranges).encode(text);
    if (special == SpecialTokens::add)
        addTokens(encoding, impl_->ids_after, static_cast<int64_t>(text.size()));
    return encoding;
}

std::string Tokenizer::decode(const std::vector<int32_t>& ids, bool skip_special_tokens) const {
    std::string bytes;
    for (const int32_t id : ids)
        impl_->appendBytes(id, skip_special_tokens, bytes);
    if (unicode::validPrefix(bytes) == bytes.size())
        return bytes;
    std::string text;
    unicode::appendReplacingInvalid(text, bytes, nullptr);
    return text;
}

int32_t Tokenizer::size() const {
    return static_cast<int32_t>(impl_->tokens.size());
}

bool Tokenizer::hasToken(int32_t id) const {
    return id >= 0 && id < size() && impl_->tokens[static_cast<size_t>(id)].exists;
}

bool Tokenizer::isSpecial(int32_t id) const {
    return id >= 0 && id < size() && impl_->tokens[static_cast<size_t>(id)].special;
}

int32_t Tokenizer::idOf(std::string_view token) const {
    const int32_t added = impl_->added.idOf(token);
    return added >= 0 ? added : impl_->vocabulary.idOf(token);
}

std::string Tokenizer::description() const {
    const auto count = std::count_if(impl_->tokens.begin(), impl_->tokens.end(),
                                     [](const Impl::Token& token) { return token.exists; });
    std::string text = fmt::format("byte-level BPE ({}, {}{} tokens", impl_->pre_tokenizer.description(),
                                   impl_->nfc ? "NFC, " : "", count);
    if (const int missing = impl_->model.missingBytes(); missing > 0)
        text += fmt::format(", {} bytes without one", missing);
    return text + ")";
}

const std::string& Tokenizer::sha256() const {
    return impl_->sha256;
}

}  // namespace spd
