#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "core/base/job_context.h"
#include "core/data/training_examples.h"
#include "core/pipeline/session.h"
#include "core/pipeline/train.h"

namespace spd {

/// What is trained on and what is measured on.
struct TrainingData {
    std::vector<TrainingExample> train;
    std::vector<TrainingExample> held_out;
    std::string corpus_sha256;
    FilteredCorpus filtered;         ///< TrainingCorpus::filtered
    nlohmann::ordered_json made_by;  ///< TrainingCorpus::made_by

    /// Tokens of the longest sequence.
    int64_t longest() const;
};

/// The request's corpus, and the share of it or the file that is held out. Says so where held-out examples
/// are trained on too. @throws Error as readTrainingCorpus(); invalid_argument when nothing is left to train
/// on
TrainingData readTrainingData(const TrainRequest& request, const Session& session, const JobContext& context);

/// Of everything that the sequences are: the file may be the same and the tokenizer another.
std::string idsSha256(const std::vector<TrainingExample>& examples);

}  // namespace spd
