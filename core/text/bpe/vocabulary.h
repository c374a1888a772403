#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace spd {

/// Tokens with their ids; looked up in both directions. Sorted, not hashed: a file may choose keys that
/// collide.
class Vocabulary {
public:
    struct Entry {
        std::string token;
        int32_t id = 0;
    };

    Vocabulary() = default;
    /// @param entries  tokens differ, ids differ and are >= 0.
    explicit Vocabulary(std::vector<Entry> entries);

    /// -1 when there is none.
    int32_t idOf(std::string_view token) const;
    /// nullptr when there is none.
    const std::string* tokenOf(int32_t id) const;

    const std::vector<Entry>& entries() const { return entries_; }
    size_t size() const { return entries_.size(); }
    int32_t largestId() const { return static_cast<int32_t>(entry_of_id_.size()) - 1; }
    size_t longestToken() const { return longest_token_; }  ///< bytes

private:
    struct Key {
        uint64_t leading;  ///< first eight bytes, big-endian: orders as the strings do
        uint32_t entry;
    };

    std::vector<Entry> entries_;
    std::vector<Key> sorted_;
    std::vector<int32_t> entry_of_id_;  ///< -1: a hole
    size_t longest_token_ = 0;
};

}  // namespace spd
