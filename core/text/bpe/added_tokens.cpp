#include "core/text/bpe/added_tokens.h"

#include <algorithm>

#include "core/text/unicode/unicode_tables.h"
#include "core/text/unicode/utf8.h"

namespace spd {
namespace {

bool hasClass(uint32_t code_point, unicode::Class wanted) {
    return (unicode::classesOf(code_point) & wanted) != 0;
}

bool beginsWithWord(std::string_view text) {
    return !text.empty() && hasClass(unicode::decodeValid(text.data()).value, unicode::word);
}

bool endsWithWord(std::string_view text) {
    return !text.empty() && hasClass(unicode::decodeLast(text).value, unicode::word);
}

size_t endOfBlanks(std::string_view text, size_t at) {
    while (at < text.size()) {
        const unicode::CodePoint character = unicode::decodeValid(text.data() + at);
        if (!hasClass(character.value, unicode::space))
            break;
        at += character.length;
    }
    return at;
}

/// Where the blanks begin that end at `end`, but not before `limit`.
size_t beginOfBlanks(std::string_view text, size_t limit, size_t end) {
    while (end > limit) {
        const unicode::CodePoint character = unicode::decodeLast(text.substr(limit, end - limit));
        if (!hasClass(character.value, unicode::space))
            break;
        end -= character.length;
    }
    return end;
}

}  // namespace

void AddedTokenMatcher::add(const AddedToken& token) {
    uint32_t node = 0;
    for (const char byte : token.form) {
        const auto next = static_cast<uint32_t>(nodes_.size());
        const auto [child, is_new] = nodes_[node].children.try_emplace(byte, next);
        node = child->second;
        if (is_new)
            nodes_.emplace_back();
    }
    nodes_[node].token = static_cast<int32_t>(tokens_.size());
    tokens_.push_back(token);
    first_bytes_[static_cast<unsigned char>(token.form.front())] = true;
}

AddedTokenMatcher::Found AddedTokenMatcher::longestAt(std::string_view text, size_t at) const {
    Found found;
    uint32_t node = 0;
    for (; at < text.size(); ++at) {
        const auto child = nodes_[node].children.find(text[at]);
        if (child == nodes_[node].children.end())
            break;
        node = child->second;
        if (nodes_[node].token >= 0)
            found = {nodes_[node].token, at + 1};
    }
    return found;
}

std::vector<AddedTokenMatcher::Match> AddedTokenMatcher::find(
    std::string_view text, const std::function<bool(TextRange)>& may_be_special) const {
    std::vector<Match> matches;
    size_t taken = 0;       // end of the last match with its blanks
    size_t blanks_end = 0;  // of the last run that rstrip looked at: tokens made of blanks may meet it again
    for (size_t at = 0; at < text.size();) {
        const Found found =
            first_bytes_[static_cast<unsigned char>(text[at])] ? longestAt(text, at) : Found{};
        if (found.token < 0) {
            ++at;
            continue;
        }
        const AddedToken& token = tokens_[static_cast<size_t>(found.token)];
        TextRange range = {at, found.end};
        if (token.special && may_be_special && !may_be_special(range)) {
            ++at;
            continue;
        }
        at = found.end;  // a match that is refused hides what lies inside it all the same
        if (token.single_word &&
            (endsWithWord(text.substr(0, range.begin)) || beginsWithWord(text.substr(range.end))))
            continue;
        if (token.lstrip)
            range.begin = std::max(taken, beginOfBlanks(text, std::min(taken, range.begin), range.begin));
        if (token.rstrip) {
            blanks_end = endOfBlanks(text, std::max(blanks_end, range.end));
            range.end = blanks_end;
        }
        range.end = std::max(range.begin, range.end);
        matches.push_back({token.id, range});
        taken = range.end;
    }
    return matches;
}

}  // namespace spd
