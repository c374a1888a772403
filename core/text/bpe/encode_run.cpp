#include "core/text/bpe/encode_run.h"

#include <algorithm>

#include "core/text/unicode/nfc.h"
#include "core/text/unicode/utf8.h"

namespace spd {

void EncodeRun::encode(std::string_view text, std::span<const TextRange> content) {
    content_ = content;
    ids_->reserve(ids_->size() + text.size() / 3);
    replaced_.differs = unicode::validPrefix(text) < text.size();
    if (replaced_.differs) {
        unicode::appendReplacingInvalid(replaced_.text, text, needsSources() ? &replaced_.map : nullptr);
        text = replaced_.text;
    }
    encodeValid(text);
}

void EncodeRun::encodeValid(std::string_view text) {
    size_t done = 0;
    part_begin_ = 0;
    normalized_.differs = false;
    if (!tokenizer_->before_normalization.empty()) {
        for (const AddedTokenMatcher::Match& match : findAdded(tokenizer_->before_normalization, text)) {
            if (done < match.range.begin)
                encodeUnnormalized(text, {done, match.range.begin});
            part_begin_ = 0;
            normalized_.differs = false;
            take(match.id, text, match.range);
            done = match.range.end;
        }
    }
    if (done < text.size())
        encodeUnnormalized(text, {done, text.size()});
}

void EncodeRun::encodeUnnormalized(std::string_view text, TextRange range) {
    std::string_view part = text.substr(range.begin, range.end - range.begin);
    part_begin_ = range.begin;
    normalized_.differs = false;
    if (tokenizer_->nfc) {
        normalized_.map = {};
        normalized_.differs =
            unicode::toNfc(part, normalized_.text, needsSources() ? &normalized_.map : nullptr);
        if (normalized_.differs)
            part = normalized_.text;
    }
    encodeNormalized(part);
}

void EncodeRun::encodeNormalized(std::string_view text) {
    size_t done = 0;
    if (!tokenizer_->after_normalization.empty()) {
        for (const AddedTokenMatcher::Match& match : findAdded(tokenizer_->after_normalization, text)) {
            encodePieces(text, {done, match.range.begin});
            take(match.id, text, match.range);
            done = match.range.end;
        }
    }
    encodePieces(text, {done, text.size()});
}

void EncodeRun::encodePieces(std::string_view text, TextRange range) {
    tokenizer_->pre_tokenizer.split(text, range, [this, text](TextRange piece) {
        const std::string_view bytes = text.substr(piece.begin, piece.end - piece.begin);
        for (const PieceToken& token : tokenizer_->model.encode(bytes, workspace_))
            take(token.id, text, {piece.begin + token.begin, piece.begin + token.end});
    });
}

std::vector<AddedTokenMatcher::Match> EncodeRun::findAdded(const AddedTokenMatcher& matcher,
                                                           std::string_view text) const {
    if (content_.empty())
        return matcher.find(text);
    return matcher.find(text, [&](TextRange range) {
        const TextRange source = sourceOf(text, range);
        const auto next = std::partition_point(content_.begin(), content_.end(),
                                               [&](const TextRange& c) { return c.end <= source.begin; });
        return next == content_.end() || next->begin >= source.end;
    });
}

/// @param range  in `text`, the normalised part or, for a token found before normalisation, the replaced
/// text.
void EncodeRun::take(int32_t id, std::string_view text, TextRange range) {
    ids_->push_back(id);
    if (ranges_ == nullptr)
        return;
    range = sourceOf(text, range);
    ranges_->push_back({static_cast<int64_t>(range.begin), static_cast<int64_t>(range.end)});
}

/// Bytes of the text given to encode().
TextRange EncodeRun::sourceOf(std::string_view text, TextRange range) const {
    // A token may hold a part of a character: it came from the whole of it.
    while (range.begin > 0 && range.begin < text.size() && unicode::isContinuation(text[range.begin]))
        --range.begin;
    while (range.end < text.size() && unicode::isContinuation(text[range.end]))
        ++range.end;
    if (normalized_.differs)
        range = normalized_.map.toSource(range);
    range.begin += part_begin_;
    range.end += part_begin_;
    if (replaced_.differs)
        range = replaced_.map.toSource(range);
    return range;
}

}  // namespace spd
