#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "core/text/text_range.h"

namespace spd {

/// A token that is found in the text itself, before any splitting (tokenizers' AddedToken).
struct AddedToken {
    int32_t id = 0;
    std::string content;
    std::string form;  ///< what is looked for and what it decodes to: the content, normalised where asked for
    bool single_word = false;  ///< not beside a word character
    bool lstrip = false;       ///< takes the blanks on its left with it
    bool rstrip = false;
    bool normalized = true;  ///< looked for after normalisation, in its normalised form
    bool special = false;    ///< left out of decoded text on demand
};

/// Finds the added tokens of one kind (normalised or not) in a text: leftmost, and of those the longest.
class AddedTokenMatcher {
public:
    struct Match {
        int32_t id;
        TextRange range;  ///< with the blanks that lstrip and rstrip take
    };

    /// @param token  with a form that is not empty, valid UTF-8 and not added before.
    void add(const AddedToken& token);
    bool empty() const { return tokens_.empty(); }

    /// Matches from left to right. Time: length of `text` times the longest pattern at most; a position whose
    /// byte begins no pattern costs one look.
    /// @param text  valid UTF-8.
    /// @param may_be_special  asked for each place where a special token stands; false: it is plain text
    /// there. Empty: special tokens count everywhere.
    std::vector<Match> find(std::string_view text,
                            const std::function<bool(TextRange)>& may_be_special = {}) const;

private:
    struct Node {
        std::map<char, uint32_t> children;
        int32_t token = -1;  ///< index into tokens_
    };
    struct Found {
        int32_t token = -1;
        size_t end = 0;
    };

    Found longestAt(std::string_view text, size_t at) const;

    std::vector<AddedToken> tokens_;
    std::vector<Node> nodes_ = std::vector<Node>(1);
    std::array<bool, 256> first_bytes_ = {};
};

}  // namespace spd
