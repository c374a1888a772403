#include "core/text/bpe/vocabulary.h"

#include <algorithm>

namespace spd {
namespace {

uint64_t leadingBytes(std::string_view token) {
    uint64_t value = 0;
    for (size_t i = 0; i < 8; ++i)
        value = (value << 8) | (i < token.size() ? static_cast<unsigned char>(token[i]) : 0u);
    return value;
}

}  // namespace

Vocabulary::Vocabulary(std::vector<Entry> entries) : entries_(std::move(entries)) {
    int32_t largest = -1;
    sorted_.reserve(entries_.size());
    for (uint32_t i = 0; i < entries_.size(); ++i) {
        largest = std::max(largest, entries_[i].id);
        longest_token_ = std::max(longest_token_, entries_[i].token.size());
        sorted_.push_back({leadingBytes(entries_[i].token), i});
    }
    std::sort(sorted_.begin(), sorted_.end(), [this](const Key& a, const Key& b) {
        if (a.leading != b.leading)
            return a.leading < b.leading;
        return entries_[a.entry].token < entries_[b.entry].token;
    });
    entry_of_id_.assign(static_cast<size_t>(largest + 1), -1);
    for (size_t i = 0; i < entries_.size(); ++i)
        entry_of_id_[static_cast<size_t>(entries_[i].id)] = static_cast<int32_t>(i);
}

int32_t Vocabulary::idOf(std::string_view token) const {
    const uint64_t leading = leadingBytes(token);
    const auto found = std::lower_bound(sorted_.begin(), sorted_.end(), token,
                                        [this, leading](const Key& key, std::string_view wanted) {
                                            if (key.leading != leading)
                                                return key.leading < leading;
                                            return entries_[key.entry].token < wanted;
                                        });
    if (found == sorted_.end() || entries_[found->entry].token != token)
        return -1;
    return entries_[found->entry].id;
}

const std::string* Vocabulary::tokenOf(int32_t id) const {
    if (id < 0 || static_cast<size_t>(id) >= entry_of_id_.size())
        return nullptr;
    const int32_t entry = entry_of_id_[static_cast<size_t>(id)];
    return entry < 0 ? nullptr : &entries_[static_cast<size_t>(entry)].token;
}

}  // namespace spd
