#include "core/pipeline/evaluate.h"

#include "core/base/files.h"
#include "core/data/corpus_file.h"
#include "core/data/training_examples.h"
#include "core/pipeline/divergence.h"
#include "core/pipeline/generate_corpus.h"

namespace spd {
namespace {

using Json = nlohmann::ordered_json;

std::filesystem::path writeQuestions(const EvaluateRequest& request) {
    std::string lines;
    for (const EvaluationQuestion& question : request.questions.questions)
        lines +=
            Json{{"id", toJson(question.task.id)}, {"prompt", question.task.prompt}, {"gold", question.gold}}
                .dump() +
            "\n";
    const std::filesystem::path path = request.out / "questions.jsonl";
    writeFileAtomically(path, lines);
    return path;
}

std::vector<CorpusRecord> answerQuestions(const EvaluateRequest& request, ResidentModel& model,
                                          const JobContext& context) {
    CorpusRequest corpus;
    corpus.model = model.session().location.id;
    corpus.prompts = writeQuestions(request);
    corpus.out = request.out / "completions.jsonl";
    corpus.chat = request.chat;
    corpus.settings = request.settings;
    corpus.intervention = request.intervention;
    corpus.dtype = request.dtype;
    corpus.overwrite = request.overwrite;
    generateCorpus(corpus, model, context);
    std::vector<CorpusRecord> records;
    readCorpus(corpus.out, [&](int64_t, const CorpusRecord& record) { records.push_back(record); });
    return records;
}

/// What was answered, as ids: read as training reads a corpus.
std::vector<ScoredSequence> answeredSequences(const EvaluateRequest& request, const Session& session) {
    const ModelConfig& config = session.checkpoint.config();
    const TrainingCorpus corpus =
        readTrainingCorpus(request.out / "completions.jsonl", session.tokenizer,
                           {config.max_position_embeddings, config.vocab_size, config.eos_token_ids, false});
    std::vector<ScoredSequence> sequences;
    for (const TrainingExample& example : corpus.examples)
        sequences.push_back({example.ids, example.prompt_tokens});
    return sequences;
}

}  // namespace

EvalResult evaluateQuestions(const EvaluateRequest& request, ResidentModel& model,
                             const JobContext& context) {
    const std::vector<CorpusRecord> records = answerQuestions(request, model, context);
    EvalResult result;
    result.task = request.questions.task;
    std::vector<EvalSample> samples;
    for (size_t i = 0; i < records.size(); ++i) {
        const CorpusRecord& record = records[i];
        samples.push_back(scoreFinalNumber(record.id, record.prompt, request.questions.questions[i].gold,
                                           record.completion));
        result.correct += samples.back().is_correct ? 1 : 0;
        result.stopped += record.finish_reason == "stop" ? 1 : 0;
        result.completion_tokens += static_cast<int64_t>(record.completion_ids.size());
    }
    result.n = static_cast<int64_t>(samples.size());
    result.interval = wilsonInterval(result.correct, result.n);
    const Intervention intervention = openIntervention(request.intervention, model.session().checkpoint, {});
    if (!intervention.isNone()) {
        const Divergence divergence =
            divergenceFromBase(model.causal(request.dtype, context), intervention,
                               answeredSequences(request, model.session()), context);
        result.mean_kl_to_base = divergence.mean_kl;
        result.kl_tokens = divergence.tokens;
    }
    const Json config = {{"model", model.session().location.id},
                         {"model_revision", model.session().location.revision},
                         {"dtype", name(request.dtype)},
                         {"limit", result.n},
                         {"questions", request.questions.record},
                         {"intervention", recordOf(intervention)},
                         {"max_new_tokens", request.settings.max_new_tokens},
                         {"seed", request.settings.seed}};
    writeEvalFiles(request.out, result, samples, config);
    return result;
}

}  // namespace spd
