#include "core/pipeline/generate_corpus.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <optional>

#include "core/base/contained_folder.h"
#include "core/base/files.h"
#include "core/base/seconds_since.h"
#include "core/base/sha256.h"
#include "core/base/strict_json.h"
#include "core/data/corpus/corpus_paths.h"
#include "core/data/corpus_file.h"
#include "core/data/curation/corpus_statistics.h"
#include "core/data/prompts.h"
#include "core/generate/generator.h"
#include "core/io/memory_forecast.h"
#include "core/pipeline/prompt_preparer.h"
#include "core/pipeline/session.h"

namespace spd {

namespace {

using Json = nlohmann::ordered_json;

/// All prompts, or one error that lists every bad one.
std::vector<PreparedPrompt> prepareAll(const CorpusRequest& request, const Session& session,
                                       const std::vector<Prompt>& prompts, const JobContext& context) {
    const PromptPreparer preparer(session, {request.chat, request.template_variables},
                                  request.prompts.string());
    std::vector<PreparedPrompt> prepared;
    std::vector<std::string> refusals;
    for (const Prompt& prompt : prompts) {
        context.checkStop();
        try {
            prepared.push_back(preparer.prepare(prompt));
        } catch (const Error& error) {
            if (error.kind() != ErrorKind::file_format)
                throw;
            refusals.emplace_back(error.what());
        }
    }
    if (!refusals.empty()) {
        std::string message = refusals.front();
        if (refusals.size() > 1)
            message += fmt::format(" (and {} more lines)", refusals.size() - 1);
        throw Error(ErrorKind::file_format, message).withDetails(std::move(refusals));
    }
    return prepared;
}

/// What a corpus depends on. Two runs with equal metas write equal files; batch and threads are not in it.
Json corpusMeta(const CorpusRequest& request, const Session& session, const Intervention& intervention,
                const std::vector<PreparedPrompt>& prompts) {
    std::string prompt_digests;
    for (const PreparedPrompt& prompt : prompts) {
        prompt_digests += sha256Hex(prompt.text);
        prompt_digests += sha256Hex(
            {reinterpret_cast<const char*>(prompt.ids.data()), prompt.ids.size() * sizeof(int32_t)});
    }
    const GenerationSettings& settings = request.settings;
    const SamplingSettings& sampling = settings.sampling;
    Json meta = {{"format_version", 1},
                 {"stage", "generate"},
                 {"model",
                  {{"id", printable(session.location.id, 4096)},
                   {"revision", session.location.revision},
                   {"config_sha256", configSha256(session.checkpoint)},
                   {"eos_token_ids", session.checkpoint.config().eos_token_ids},
                   {"weights_fingerprint", weightsFingerprint(session.checkpoint)}}},
                 {"tokenizer_sha256", session.tokenizer.sha256()},
                 {"prompts_sha256", sha256Hex(prompt_digests)},
                 {"format", request.chat ? "chat" : "raw"},
                 {"template_variables", request.template_variables},
                 {"dtype", name(request.dtype)},
                 {"kernels", name(detectIsa())},
                 {"seed", settings.seed},
                 {"max_new_tokens", settings.max_new_tokens},
                 {"stop", settings.stop},
                 {"greedy", sampling.greedy},
                 {"temperature", sampling.temperature},
                 {"top_k", sampling.top_k},
                 {"top_p", sampling.top_p},
                 {"min_p", sampling.min_p},
                 {"repetition_penalty", sampling.repetition_penalty},
                 {"intervention", recordOf(intervention)}};
    if (request.method)
        meta["method"] = name(*request.method);
    return meta;
}

/// Nothing that the corpus writer makes or removes may be the prompts file. @throws Error invalid_argument
void refuseOwnFiles(const CorpusRequest& request) {
    const CorpusPaths paths(request.out);
    std::error_code unknown;  // of a path that is not there: then they are not the same file
    for (const std::filesystem::path& path : {paths.out, paths.partial, paths.meta})
        if (std::filesystem::equivalent(request.prompts, path, unknown))
            throw Error(ErrorKind::invalid_argument, fmt::format("--out would replace the prompts file {}",
                                                                 printable(path.native(), 1000)));
}

/// @throws Error out_of_memory
void checkMemory(const CorpusRequest& request, const ResidentModel& model,
                 const std::vector<GenerationPrompt>& queue) {
    size_t longest = 0;
    for (const GenerationPrompt& prompt : queue)
        longest = std::max(longest, prompt.ids.size());
    const ModelConfig& config = model.session().checkpoint.config();
    ForecastSettings settings;
    settings.dtype = request.dtype;
    settings.slots = std::min<int64_t>(request.settings.batch, static_cast<int64_t>(queue.size()));
    settings.context = std::min(static_cast<int64_t>(longest) + request.settings.max_new_tokens,
                                config.max_position_embeddings);
    const MemoryForecast forecast = forecastMemory(config, settings);
    requireMemory(forecast.generate - (model.holdsPacked(request.dtype) ? forecast.weights : 0), "generate",
                  "a smaller --batch, --max-new-tokens or --dtype needs less");
}

/// Generates what `writer` lacks and appends it.
void complete(const CorpusRequest& request, ResidentModel& resident, const Intervention& intervention,
              const std::vector<Prompt>& prompts, const std::vector<PreparedPrompt>& prepared,
              CorpusWriter& writer, const JobContext& context, CorpusSummary& summary) {
    const Session& session = resident.session();
    std::vector<GenerationPrompt> queue;
    for (size_t i = 0; i < prompts.size(); ++i)
        if (!writer.isDone(i))
            queue.push_back({i, prepared[i].ids, noiseKeyOf(request.settings.seed, prompts[i].id),
                             /*intervention=*/0});

    checkMemory(request, resident, queue);
    auto start = std::chrono::steady_clock::now();
    PackedLm& model = resident.packed(request.dtype, context);
    const PackedInterventions interventions = model.prepare({&intervention, 1}, context);
    summary.open_seconds = secondsSince(start);
    start = std::chrono::steady_clock::now();
    JobContext counted = context;  // what earlier runs did counts as done
    counted.on_progress = [&](Progress progress) {
        progress.done += summary.resumed;
        progress.total += summary.resumed;
        context.report(progress);
    };
    generate(model, interventions, session.tokenizer, resident.pool(), std::move(queue), request.settings,
             counted, [&](Completion&& completion) {
                 const size_t i = completion.index;
                 summary.completion_tokens += static_cast<int64_t>(completion.ids.size());
                 writer.append(i, {prompts[i].id, prepared[i].text, std::move(completion.text),
                                   std::move(completion.ids),
                                   completion.finish_reason == FinishReason::stop ? "stop" : "length",
                                   static_cast<int64_t>(prepared[i].ids.size())});
             });
    summary.generate_seconds = secondsSince(start);
}

}  // namespace

CorpusSummary generateCorpus(const CorpusRequest& request, const JobContext& context) {
    request.settings.validate();
    refuseOwnFiles(request);
    ResidentModel model(Session::open(request.model, request.workspace, context), request.threads);
    return generateCorpus(request, model, context);
}

CorpusSummary generateCorpus(const CorpusRequest& request, ResidentModel& model, const JobContext& context) {
    request.settings.validate();
    refuseOwnFiles(request);
    const Session& session = model.session();
    const Intervention intervention =
        openIntervention(request.intervention, session.checkpoint, request.on_warning);
    const std::vector<Prompt> prompts = readPrompts(request.prompts);
    const std::vector<PreparedPrompt> prepared = prepareAll(request, session, prompts, context);

    std::vector<PromptId> ids;
    for (const Prompt& prompt : prompts)
        ids.push_back(prompt.id);
    CorpusWriter writer = CorpusWriter::open(
        request.out, corpusMeta(request, session, intervention, prepared), ids, request.overwrite);
    CorpusSummary summary;
    summary.prompts = static_cast<int64_t>(prompts.size());
    summary.resumed = writer.doneCount();
    summary.intervention = describe(intervention);
    summary.intervention_record = recordOf(intervention);
    if (summary.resumed < summary.prompts)
        complete(request, model, intervention, prompts, prepared, writer, context, summary);
    writer.finish();
    const CorpusStatistics statistics = statisticsOf(request.out);
    summary.statistics = statistics.describe();
    summary.statistics_record = statistics.toJson();
    writer.recordStatistics(summary.statistics_record);
    return summary;
}

}  // namespace spd
