// Loss and gradients of one batch for tests/oracle/test_train.py:
//     train_driver MODEL CORPUS ADAPTER full|completion_only off|full OUT.safetensors
// prints the mean loss; OUT holds I.q_proj.a, I.q_proj.b, ...: the gradients of it by A and B.

#include <cstdio>
#include <cstring>
#include <map>
#include <string>

#include "core/data/training_examples.h"
#include "core/io/safetensors/writer.h"
#include "core/model/causal_lm.h"
#include "core/pipeline/session.h"
#include "core/train/training_pass.h"

using namespace spd;

namespace {

void write(const char* path, const LoraParameters& parameters, const std::vector<float>& gradients) {
    std::vector<TensorInfo> tensors;
    std::map<std::string, const float*> values;
    for (const LoraPlace& place : parameters.places()) {
        const std::string name =
            std::to_string(place.layer) + "." + std::string(moduleName(place.linear)) + ".";
        tensors.push_back({name + "a", ElementType::f32, {place.r, place.in}});
        tensors.push_back({name + "b", ElementType::f32, {place.out, place.r}});
        values[name + "a"] = gradients.data() + place.a;
        values[name + "b"] = gradients.data() + place.b;
    }
    SafetensorsWriter writer(path, tensors);
    for (const TensorInfo& tensor : writer.order())
        writer.append(values.at(tensor.name),
                      static_cast<uint64_t>(tensor.shape[0] * tensor.shape[1]) * sizeof(float));
    writer.commit();
}

void run(char** arguments) {
    const Session session = Session::open(arguments[1], ".");
    const ModelConfig& config = session.checkpoint.config();
    const bool completion_only = std::strcmp(arguments[4], "full") != 0;
    const TrainingCorpus corpus = readTrainingCorpus(
        arguments[2], session.tokenizer,
        {config.max_position_embeddings, config.vocab_size, config.eos_token_ids, completion_only});
    LoraParameters parameters = LoraParameters::of(readAdapter(arguments[3], config), config);
    const CausalLm model = CausalLm::load(session.checkpoint, DType::float32, {});
    std::vector<TrainingSequence> batch;
    int64_t tokens = 0;
    for (const TrainingExample& example : corpus.examples) {
        batch.push_back({example.ids, completion_only ? example.prompt_tokens : 1, 0});
        tokens += batch.back().targets();
    }
    TrainingPass pass(model, parameters);
    PassSettings settings;
    settings.scale = 1 / static_cast<double>(tokens);
    settings.keep_activations = std::strcmp(arguments[5], "off") == 0;
    std::vector<float> gradients(parameters.values().size());
    double loss = 0;
    for (const TrainingSequence& sequence : batch)
        loss += pass.addGradients(sequence, settings, gradients, {});
    std::printf("%.17g\n", loss / static_cast<double>(tokens));
    write(arguments[6], parameters, gradients);
}

}  // namespace

int main(int count, char** arguments) {
    if (count != 7)
        return 2;
    try {
        run(arguments);
    } catch (const Error& error) {
        std::fprintf(stderr, "%s\n", error.what());
        return error.exitCode();
    }
    return 0;
}
