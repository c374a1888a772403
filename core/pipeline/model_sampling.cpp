#include "core/base/contained_folder.h"
#include "core/base/error.h"
#include "core/base/strict_json.h"
#include "core/generate/method_presets.h"
#include "core/io/model_locator.h"
#include "core/pipeline/generate_corpus.h"

namespace spd {
namespace {

using Json = nlohmann::ordered_json;

/// What else transformers would do to the scores, with the value that does nothing. @throws Error file_format
void refuseOtherWarpers(const Json& config, const std::string& file) {
    const std::pair<const char*, Json> neutral[] = {{"num_beams", 1},
                                                    {"num_beam_groups", 1},
                                                    {"no_repeat_ngram_size", 0},
                                                    {"typical_p", 1.0},
                                                    {"epsilon_cutoff", 0.0},
                                                    {"eta_cutoff", 0.0},
                                                    {"top_h", nullptr},
                                                    {"penalty_alpha", nullptr},
                                                    {"bad_words_ids", nullptr},
                                                    {"sequence_bias", nullptr},
                                                    {"guidance_scale", nullptr},
                                                    {"min_length", 0},
                                                    {"min_new_tokens", 0},
                                                    {"suppress_tokens", nullptr},
                                                    {"begin_suppress_tokens", nullptr},
                                                    {"forced_bos_token_id", nullptr},
                                                    {"forced_eos_token_id", nullptr},
                                                    {"encoder_repetition_penalty", 1.0},
                                                    {"exponential_decay_length_penalty", nullptr},
                                                    {"watermarking_config", nullptr}};
    for (const auto& [key, value] : neutral) {
        const auto found = config.find(key);
        if (found != config.end() && !found->is_null() && *found != value)
            throw Error::fileFormat(file, key, "--sampling model cannot do this; give the options instead");
    }
}

template <class Value>
void readNumber(const Json& config, const char* key, const std::string& file, Value& value) {
    const auto found = config.find(key);
    if (found == config.end() || found->is_null())
        return;
    if (!found->is_number() || (std::is_integral_v<Value> && !found->is_number_integer()))
        throw Error::fileFormat(file, key, "must be a number");
    value = found->get<Value>();
}

}  // namespace

SamplingSettings samplingOfModel(const std::filesystem::path& folder) {
    // Unset keys mean what transformers' generate() takes for them: no sampling, and 50 for top_k when
    // sampling.
    SamplingSettings sampling;
    sampling.greedy = true;
    const ContainedFolder files = ContainedFolder::open(folder);
    const char* name = "generation_config.json";
    if (!files.has(name))
        return sampling;
    const std::string file = files.nameOf(name);
    const JsonLimits limits;
    const Json config = parseStrictJson(files.readFile(name, limits.max_bytes), file, limits);
    if (!config.is_object())
        throw Error::fileFormat(file, "", "must be a JSON object");
    const auto do_sample = config.find("do_sample");
    if (do_sample != config.end() && !do_sample->is_boolean() && !do_sample->is_null())
        throw Error::fileFormat(file, "do_sample", "must be true or false");
    sampling.greedy = do_sample == config.end() || *do_sample != true;
    sampling.top_k = 50;
    refuseOtherWarpers(config, file);
    readNumber(config, "repetition_penalty", file, sampling.repetition_penalty);
    if (!sampling.greedy) {  // what a greedy model's file says of sampling is not used
        readNumber(config, "temperature", file, sampling.temperature);
        readNumber(config, "top_k", file, sampling.top_k);
        readNumber(config, "top_p", file, sampling.top_p);
        readNumber(config, "min_p", file, sampling.min_p);
    }
    try {
        sampling.validate();
    } catch (const Error& error) {
        throw Error::fileFormat(file, "", error.what());
    }
    return sampling;
}

SamplingSettings samplingStart(std::optional<Method> method, bool of_model, const std::string& model,
                               const std::filesystem::path& workspace) {
    if (method)
        return samplingOf(*method);
    return of_model ? samplingOfModel(locateModel(model, workspace).folder) : SamplingSettings{};
}

}  // namespace spd
