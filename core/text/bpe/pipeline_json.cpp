// The steps around the model in tokenizer.json: normalizer, pre-tokenizer, post-processor, decoder.

#include <fmt/format.h>

#include <functional>

#include "core/base/error.h"
#include "core/text/bpe/tokenizer_json.h"

namespace spd {
namespace {

constexpr int deepest_sequence = 16;
constexpr size_t most_steps = 16;
constexpr size_t most_template_tokens = 64;

std::string typeOf(const JsonNode& step) {
    return step.at("type").text();
}

[[noreturn]] void refuseType(const JsonNode& step, const char* what) {
    step.refuseUnsupported(fmt::format("unknown {} \"{}\"", what, printable(typeOf(step), 60)));
}

/// Calls `take` for `step`, or for the steps of a Sequence, whose list has the name `members`.
void forEachStep(const JsonNode& step, const char* members, const std::function<void(const JsonNode&)>& take,
                 int depth = 1) {
    if (typeOf(step) != "Sequence") {
        take(step);
        return;
    }
    if (depth > deepest_sequence)
        step.refuse(fmt::format("Sequence nested deeper than {}", deepest_sequence));
    const JsonNode list = step.at(members);
    list.expectArray();
    for (size_t i = 0; i < list.value().size(); ++i)
        forEachStep(list.element(i), members, take, depth + 1);
}

PreTokenizer::Kind kindOf(SplitPattern pattern) {
    switch (pattern) {
        case SplitPattern::gpt2:
            return PreTokenizer::Kind::gpt2;
        case SplitPattern::qwen2:
            return PreTokenizer::Kind::qwen2;
        case SplitPattern::llama3:
            break;
    }
    return PreTokenizer::Kind::llama3;
}

/// The known patterns match everywhere, so keeping the matches is the same as isolating them.
void checkBehavior(const JsonNode& step) {
    const bool invert = step.at("invert").boolean();
    const JsonNode behavior = step.at("behavior");
    const bool isolated = behavior.text() == "Isolated" && !invert;
    const bool matches_kept = behavior.text() == "Removed" && invert;
    if (!isolated && !matches_kept)
        behavior.refuseUnsupported(
            fmt::format("Split with behavior \"{}\" and invert {}", printable(behavior.text(), 60), invert));
}

PreTokenizer::Kind readSplit(const JsonNode& step) {
    const JsonNode pattern = step.at("pattern");
    const auto regex = pattern.find("Regex");
    if (!regex)
        pattern.refuseUnsupported("unknown kind of pattern: only \"Regex\" is known");
    const std::optional<SplitPattern> known = recognisePattern(regex->text());
    if (!known)
        regex->refuseUnsupported(fmt::format("unknown pattern {}", printable(regex->text(), 120)));
    checkBehavior(step);
    return kindOf(*known);
}

/// Writes text in byte characters, after which no known step can follow.
void readByteLevel(const JsonNode& step, TokenizerParts& parts) {
    if (step.at("add_prefix_space").boolean())
        step.refuseUnsupported("ByteLevel with add_prefix_space is not computed");
    const auto use_regex = step.find("use_regex");
    if (!use_regex || use_regex->boolean())
        parts.pre_tokenizer.add(PreTokenizer::Kind::gpt2);
}

void readPreTokenizerStep(const JsonNode& step, TokenizerParts& parts, bool& byte_level) {
    if (byte_level)
        step.refuseUnsupported(fmt::format("\"{}\" after ByteLevel", printable(typeOf(step), 60)));
    if (parts.pre_tokenizer.steps().size() == most_steps)
        step.refuse(fmt::format("more than {} steps", most_steps));
    const std::string type = typeOf(step);
    if (type == "ByteLevel") {
        readByteLevel(step, parts);
        byte_level = true;
    } else if (type == "Digits") {
        parts.pre_tokenizer.add(step.at("individual_digits").boolean() ? PreTokenizer::Kind::digits_alone
                                                                       : PreTokenizer::Kind::digits_together);
    } else if (type == "Split") {
        parts.pre_tokenizer.add(readSplit(step));
    } else {
        refuseType(step, "pre-tokenizer");
    }
}

/// Ids of a special token that the template names.
std::vector<int32_t> specialIds(const JsonNode& processor, const JsonNode& piece,
                                const TokenizerParts& parts) {
    const std::string name = piece.at("id").text();
    const auto special = processor.at("special_tokens").find(name);
    if (!special)
        piece.refuse(fmt::format("\"{}\" is not among special_tokens", printable(name, 60)));
    const JsonNode ids = special->at("ids");
    if (ids.expectArray().value().size() > most_template_tokens)
        ids.refuse(fmt::format("more than {} ids", most_template_tokens));
    if (ids.value().size() != special->at("tokens").expectArray().value().size())
        ids.refuse("not as many as \"tokens\"");
    std::vector<int32_t> result;
    for (size_t i = 0; i < ids.value().size(); ++i) {
        result.push_back(ids.element(i).tokenId());
        bool known = parts.vocabulary.tokenOf(result.back()) != nullptr;
        for (const AddedToken& token : parts.added_tokens)
            known = known || token.id == result.back();
        if (!known)
            ids.element(i).refuse(fmt::format("no token has the id {}", result.back()));
    }
    return result;
}

/// TemplateProcessing for one text: what stands before and after "Sequence A".
void readTemplate(const JsonNode& processor, TokenizerParts& parts) {
    const JsonNode single = processor.at("single");
    if (single.expectArray().value().size() > most_template_tokens)
        single.refuse(fmt::format("more than {} pieces", most_template_tokens));
    std::vector<int32_t> before;
    std::vector<int32_t> after;
    int texts = 0;
    for (size_t i = 0; i < single.value().size(); ++i) {
        const JsonNode piece = single.element(i);
        if (const auto special = piece.find("SpecialToken")) {
            const std::vector<int32_t> ids = specialIds(processor, *special, parts);
            std::vector<int32_t>& side = texts == 0 ? before : after;
            side.insert(side.end(), ids.begin(), ids.end());
        } else if (const auto sequence = piece.find("Sequence");
                   sequence && sequence->at("id").text() == "A") {
            ++texts;
        } else {
            piece.refuse("neither a SpecialToken nor the Sequence A");
        }
    }
    if (texts != 1)
        single.refuse("must have the Sequence A once");
    parts.ids_before = std::move(before);
    parts.ids_after = std::move(after);
    if (parts.ids_before.size() + parts.ids_after.size() > most_template_tokens)
        single.refuse(fmt::format("adds more than {} tokens", most_template_tokens));
}

}  // namespace

void readNormalizer(const JsonNode& root, TokenizerParts& parts) {
    if (const auto normalizer = root.find("normalizer"))
        forEachStep(*normalizer, "normalizers", [&parts](const JsonNode& step) {
            if (typeOf(step) != "NFC")
                refuseType(step, "normalizer");
            parts.nfc = true;
        });
}

void readPreTokenizer(const JsonNode& root, TokenizerParts& parts) {
    bool byte_level = false;
    if (const auto pre_tokenizer = root.find("pre_tokenizer"))
        forEachStep(*pre_tokenizer, "pretokenizers",
                    [&](const JsonNode& step) { readPreTokenizerStep(step, parts, byte_level); });
    if (!byte_level)
        root.at("pre_tokenizer").refuseUnsupported("not byte-level: there is no ByteLevel step");
}

void readPostProcessor(const JsonNode& root, TokenizerParts& parts) {
    bool has_template = false;
    if (const auto processor = root.find("post_processor"))
        forEachStep(*processor, "processors", [&](const JsonNode& step) {
            const std::string type = typeOf(step);
            if (type == "ByteLevel")  // only trims character offsets
                return;
            if (type != "TemplateProcessing")
                refuseType(step, "post-processor");
            // The library would take the first one's parts for several texts.
            if (has_template)
                step.refuseUnsupported("a second TemplateProcessing");
            has_template = true;
            readTemplate(step, parts);
        });
}

void checkDecoder(const JsonNode& root) {
    int steps = 0;
    if (const auto decoder = root.find("decoder"))
        forEachStep(*decoder, "decoders", [&steps](const JsonNode& step) {
            if (typeOf(step) != "ByteLevel")
                refuseType(step, "decoder");
            ++steps;
        });
    if (steps != 1)
        root.at("decoder").refuseUnsupported("must be ByteLevel");
}

}  // namespace spd
