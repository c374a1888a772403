#pragma once

#include <functional>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "core/base/dtype.h"
#include "core/base/on_warning.h"
#include "core/generate/lockstep.h"
#include "core/pipeline/open_intervention.h"
#include "core/pipeline/prompt_preparer.h"
#include "core/pipeline/resident_model.h"

namespace spd {

/// One prompt under several interventions, side by side.
struct PreviewRequest {
    Prompt prompt;  ///< its id and the seed decide the noise, as in a corpus
    PromptFormat format;
    std::vector<InterventionRequest> panes;  ///< 1 to 4
    GenerationSettings settings;
    DType dtype = DType::float32;
    OnWarning on_warning;
};

/// What the engine says that a pane computes with.
struct PreviewPane {
    std::string intervention;       ///< describe()
    nlohmann::ordered_json record;  ///< recordOf()
};

/// Gets what happens, on the thread of the preview.
struct PreviewSink {
    /// Before the first token. @param prompt  as the model sees it.
    std::function<void(const PreparedPrompt& prompt, const std::vector<PreviewPane>& panes)> on_begin;
    std::function<void(const LockstepToken&)> on_token;
};

/// Paper Eq. 12: completes the prompt in every pane with the same noise, from one model.
/// @throws Error invalid_argument (panes, settings), as openIntervention(), PromptPreparer,
/// generateLockstep(); out_of_memory; Cancelled
void preview(const PreviewRequest& request, ResidentModel& model, const PreviewSink& sink,
             const JobContext& context);

}  // namespace spd
