#pragma once

#include <cstdint>
#include <random>
#include <string>

namespace spd::test {

/// Damages JSON texts where it hurts: numbers at the edge of a type, keys twice, values of another kind, deep
/// nesting, odd escapes; and now and then plain bytes. The same seed gives the same damage.
class JsonMutator {
public:
    explicit JsonMutator(uint32_t seed) : random_(seed) {}

    /// One to three changes; a JSON text mostly stays one.
    std::string mutate(const std::string& text);
    /// Bits, spans, length; for any file.
    std::string damageBytes(std::string bytes);
    size_t below(size_t limit) { return limit == 0 ? 0 : random_() % limit; }

private:
    std::string changeOnce(const std::string& text);
    std::string replaceNumber(const std::string& text);
    std::string replaceString(const std::string& text);
    std::string repeatMember(const std::string& text);

    std::mt19937 random_;
};

}  // namespace spd::test
