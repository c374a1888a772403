// tokenize_driver FOLDER: encodes what a test sends, so that texts which JSON cannot hold (invalid UTF-8) and
// many small ones can be compared with a reference.
//
// Standard input, little-endian, until its end:  uint8 flags, uint32 size, bytes
// (flags: 1 adds what the post-processor adds, 2 wants a short answer)
// Standard output, for each:  uint32 n, int32 ids[n], uint32 ranges[n][2], then decode(special shown) and
// decode(special skipped), each as uint32 size, bytes, then uint8: both streamed decodings are the same and
// each piece is valid UTF-8.

#include <algorithm>
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
#include "tests/support/refusal.h"

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

std::string longAnswer(const Tokenizer& tokenizer, std::string_view text, Tokenizer::SpecialTokens special,
                       const std::vector<int32_t>& ids) {
    const spd::Encoding encoding = tokenizer.encodeWithRanges(text, special);
    std::string out;
    for (const spd::TokenRange& range : encoding.ranges) {
        append(out, static_cast<uint32_t>(range.begin));
        append(out, static_cast<uint32_t>(range.end));
    }
    const std::string skipped = tokenizer.decode(ids, true);
    append(out, skipped);
    const bool same = encoding.ids == ids && encoding.ranges.size() == ids.size() &&
                      streamsTo(tokenizer, ids, false, tokenizer.decode(ids, false)) &&
                      streamsTo(tokenizer, ids, true, skipped);
    out.push_back(same ? 1 : 0);
    return out;
}

std::string answer(const Tokenizer& tokenizer, std::string_view text, int flags) {
    const auto special = (flags & 1) != 0 ? Tokenizer::SpecialTokens::add : Tokenizer::SpecialTokens::none;
    const std::vector<int32_t> ids = tokenizer.encode(text, special);
    std::string out;
    append(out, static_cast<uint32_t>(ids.size()));
    out.append(reinterpret_cast<const char*>(ids.data()), ids.size() * sizeof ids[0]);
    append(out, tokenizer.decode(ids, false));
    return (flags & 2) != 0 ? out : out + longAnswer(tokenizer, text, special, ids);
}

/// Lines of the text, as prompts come; the first pass fills the caches.
int measureSpeed(const Tokenizer& tokenizer) {
    const std::string text(std::istreambuf_iterator<char>(std::cin), {});
    double seconds = 0;
    for (int pass = 0; pass < 2; ++pass) {
        const double start = spd::test::processorSeconds();
        for (size_t at = 0; at < text.size();) {
            const size_t end = std::min(text.find('\n', at), text.size() - 1) + 1;
            (void)tokenizer.encode(std::string_view(text).substr(at, end - at));
            at = end;
        }
        seconds = spd::test::processorSeconds() - start;
    }
    std::cout << static_cast<double>(text.size()) / seconds << "\n";
    return 0;
}

int answerAll(const Tokenizer& tokenizer) {
    std::array<char, 5> head;
    std::string text;
    while (readExactly(head.data(), head.size())) {
        uint32_t size;
        std::copy(head.begin() + 1, head.end(), reinterpret_cast<char*>(&size));
        text.resize(size);
        if (!readExactly(text.data(), size))
            return 2;
        const std::string out = answer(tokenizer, text, head[0]);
        std::fwrite(out.data(), 1, out.size(), stdout);
    }
    return 0;
}

}  // namespace

int main(int argc, char** argv) {
    const bool speed = argc == 3 && std::string_view(argv[2]) == "--speed";
    if (argc != 2 && !speed) {
        std::cerr << "usage: tokenize_driver FOLDER [--speed]\n";
        return 2;
    }
    try {
        const Tokenizer tokenizer = Tokenizer::open(argv[1]);
        return speed ? measureSpeed(tokenizer) : answerAll(tokenizer);
    } catch (const spd::Error& error) {
        std::cerr << error.what() << "\n";
        return error.exitCode();
    }
}
