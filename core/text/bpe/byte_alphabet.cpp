#include "core/text/bpe/byte_alphabet.h"

#include <array>
#include <cstdint>

#include "core/text/unicode/utf8.h"

namespace spd {
namespace {

constexpr int no_byte = -1;
constexpr uint32_t alphabet_end = 0x100 + 68;  // 68 bytes have no printable character of their own

struct Alphabet {
    std::array<std::string, 256> characters;
    std::array<int, alphabet_end> bytes;
};

bool standsForItself(unsigned byte) {
    return (byte >= 0x21 && byte <= 0x7E) || (byte >= 0xA1 && byte <= 0xAC) || byte >= 0xAE;
}

Alphabet makeAlphabet() {
    Alphabet alphabet;
    alphabet.bytes.fill(no_byte);
    uint32_t next = 0x100;
    for (unsigned byte = 0; byte < 256; ++byte) {
        const uint32_t code_point = standsForItself(byte) ? byte : next++;
        unicode::append(alphabet.characters[byte], code_point);
        alphabet.bytes[code_point] = static_cast<int>(byte);
    }
    return alphabet;
}

const Alphabet& alphabet() {
    static const Alphabet made = makeAlphabet();
    return made;
}

}  // namespace

const std::string& characterOfByte(unsigned char byte) {
    return alphabet().characters[byte];
}

std::string toByteCharacters(std::string_view bytes) {
    const Alphabet& letters = alphabet();
    std::string token;
    token.reserve(bytes.size() * 2);
    for (const char byte : bytes)
        token += letters.characters[static_cast<unsigned char>(byte)];
    return token;
}

std::optional<std::string> fromByteCharacters(std::string_view token) {
    const Alphabet& letters = alphabet();
    std::string bytes;
    bytes.reserve(token.size());
    for (size_t at = 0; at < token.size();) {
        const unicode::CodePoint character = unicode::decodeValid(token.data() + at);
        if (character.value >= alphabet_end || letters.bytes[character.value] == no_byte)
            return std::nullopt;
        bytes.push_back(static_cast<char>(letters.bytes[character.value]));
        at += character.length;
    }
    return bytes;
}

}  // namespace spd
