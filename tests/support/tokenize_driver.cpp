// tokenize_driver FOLDER: encodes what a test sends, so that texts which JSON cannot hold (invalid UTF-8) and
// many small ones can be compared with a reference.
//
// Standard input, little-endian, until its end:  uint8 add_special, uint32 size, bytes
// Standard output, for each:  uint32 n, int32 ids[n], uint32 ranges[n][2], then decode(special shown) and
// decode(special skipped), each as uint32 size, bytes, then uint8: both streamed decodings are the same and
// each piece is valid UTF-8.

#include <array>
#include <cstdint>
#include <cstdio>
#include <iostream>
#include <iterator>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/error.h"
#include "core/text/tokenizer.h"
#include "core/text/unicode/utf8.h"

namespace {

using spd::Tokenizer;

bool readExactly(char* to, size_t size) {
    return std::fread(to, 1, size, stdin) == size;
}

void append(std::string& out, uint32_t value) {
    out.append(reinterpret_cast<const char*>(&value), sizeof value);
}

void append(std::string& out, const std::string& text) {
    append(out, static_cast<uint32_t>(text.size()));
    out += text;
}

bool streamsTo(const Tokenizer& tokenizer, const std::vector<int32_t>& ids, bool skip,
               const std::string& whole) {
    spd::StreamingDecoder decoder(tokenizer, skip);
    std::string joined;
    bool valid = true;
    const auto take = [&](const std::string& piece) {
        valid = valid && spd::unicode::validPrefix(piece) == piece.size();
        joined += piece;
    };
    for (const int32_t id : ids)
        take(decoder.add(id));
    take(decoder.finish());
    return valid && joined == whole;
}

std::string answer(const Tokenizer& tokenizer, std::string_view text, bool add_special) {
    const auto special = add_special ? Tokenizer::SpecialTokens::add : Tokenizer::SpecialTokens::none;
    const spd::Encoding encoding = tokenizer.encodeWithRanges(text, special);
    std::string out;
    append(out, static_cast<uint32_t>(encoding.ids.size()));
    for (const int32_t id : encoding.ids)
        append(out, static_cast<uint32_t>(id));
    for (const spd::TokenRange& range : encoding.ranges) {
        append(out, static_cast<uint32_t>(range.begin));
        append(out, static_cast<uint32_t>(range.end));
    }
    bool same = tokenizer.encode(text, special) == encoding.ids;
    for (const bool skip : {false, true}) {
        const std::string whole = tokenizer.decode(encoding.ids, skip);
        append(out, whole);
        same = same && streamsTo(tokenizer, encoding.ids, skip, whole);
    }
    out.push_back(same ? 1 : 0);
    return out;
}

int run(const char* folder) {
    const Tokenizer tokenizer = Tokenizer::open(folder);
    std::cerr << tokenizer.description() << "\n";
    std::array<char, 5> head;
    std::string text;
    while (readExactly(head.data(), head.size())) {
        uint32_t size;
        std::copy(head.begin() + 1, head.end(), reinterpret_cast<char*>(&size));
        text.resize(size);
        if (!readExactly(text.data(), size))
            return 2;
        const std::string out = answer(tokenizer, text, head[0] != 0);
        std::fwrite(out.data(), 1, out.size(), stdout);
    }
    return 0;
}

}  // namespace

int main(int argc, char** argv) {
    if (argc != 2) {
        std::cerr << "usage: tokenize_driver FOLDER\n";
        return 2;
    }
    try {
        return run(argv[1]);
    } catch (const spd::Error& error) {
        std::cerr << error.what() << "\n";
        return error.exitCode();
    }
}
