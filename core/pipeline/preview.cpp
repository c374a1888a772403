#include "core/pipeline/preview.h"

#include <algorithm>

#include "core/base/error.h"
#include "core/io/memory_forecast.h"

namespace spd {
namespace {

constexpr size_t kMostPanes = 4;

/// @throws Error out_of_memory
void checkMemory(const PreviewRequest& request, const ResidentModel& model, int64_t prompt_tokens) {
    const ModelConfig& config = model.session().checkpoint.config();
    ForecastSettings settings;
    settings.dtype = request.dtype;
    settings.slots = 2 * static_cast<int64_t>(request.panes.size());
    settings.context =
        std::min(prompt_tokens + request.settings.max_new_tokens, config.max_position_embeddings);
    const MemoryForecast forecast = forecastMemory(config, settings);
    requireMemory(forecast.generate - (model.holdsPacked(request.dtype) ? forecast.weights : 0), "preview",
                  "fewer panes or new tokens need less");
}

}  // namespace

void preview(const PreviewRequest& request, ResidentModel& resident, const PreviewSink& sink,
             const JobContext& context) {
    request.settings.validate();
    if (request.panes.empty() || request.panes.size() > kMostPanes)
        throw Error(ErrorKind::invalid_argument, "panes: 1 to 4 of them");
    const Session& session = resident.session();
    LockstepRequest lockstep;
    lockstep.settings = request.settings;
    lockstep.noise_key = noiseKeyOf(request.settings.seed, request.prompt.id);
    std::vector<Intervention> interventions;
    std::vector<PreviewPane> panes;
    for (const InterventionRequest& pane : request.panes) {
        Intervention intervention = openIntervention(pane, session.checkpoint, request.on_warning);
        panes.push_back({describe(intervention), recordOf(intervention)});
        lockstep.interventions.push_back(intervention.isNone() ? PackedInterventions::kNone
                                                               : static_cast<int32_t>(interventions.size()));
        if (!intervention.isNone())
            interventions.push_back(std::move(intervention));
    }
    const PreparedPrompt prompt = PromptPreparer(session, request.format, "prompt").prepare(request.prompt);
    lockstep.ids = prompt.ids;
    checkMemory(request, resident, static_cast<int64_t>(prompt.ids.size()));
    PackedLm& model = resident.packed(request.dtype, context);
    const PackedInterventions packed = model.prepare(interventions, context);
    sink.on_begin(prompt, panes);
    generateLockstep(model, packed, session.tokenizer, lockstep, context, sink.on_token);
}

}  // namespace spd
