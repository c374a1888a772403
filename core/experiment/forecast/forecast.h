#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "core/config/experiment.h"
#include "core/experiment/run_plan.h"
#include "core/io/model_config.h"

namespace spd {

/// What a machine does in a second, as far as a forecast needs it.
struct MachineRates {
    std::string name;
    double flops = 0;  ///< multiplications and additions in the 16-bit types, as large matrices reach them
    double float32_flops = 0;  ///< the same in float32
    double bytes = 0;          ///< of weights read while decoding
};

/// One H100 (SXM, 80 GB): 989 x 10^12 bf16 and 67 x 10^12 float32 operations, 3.35 x 10^12 bytes a second by
/// its data sheet; 45 %, 60 % and 70 % of them, which good programs reach.
MachineRates oneH100();

/// Sizes of an experiment's data, counted or estimated before anything is computed.
struct DataSizes {
    int64_t prompts = 0;       ///< that a corpus is made of
    double prompt_tokens = 0;  ///< mean of them
    int64_t calibration_examples = 0;
    double calibration_tokens = 0;  ///< mean
    int64_t longest_calibration_tokens = 0;
    std::vector<int64_t> questions;       ///< of each evaluation
    std::vector<double> question_tokens;  ///< mean, of each evaluation
    bool counted = false;  ///< with the model's tokenizer; else 3.5 characters were taken for a token
};

/// What one stage will take. Completions are counted at their longest, so tokens and seconds are upper ends.
struct StageForecast {
    std::string stage;  ///< "calibrate", "generate", "train", "evaluate gsm8k"
    int64_t items = 0;  ///< examples, prompts, optimizer steps, questions
    int64_t tokens = 0;
    double seconds = 0;
    int64_t memory = 0;  ///< bytes
};

/// New tokens of an evaluation at the most: the file's, else the protocol's.
int64_t longestAnswer(const Experiment::Evaluation& evaluation);

/// The stages of a run in order. Decoding reads the weights once a step for `generation.batch` sequences and
/// multiplies 2 N a token; training is 4 N a token (no gradients of weights), 6 N with recomputation;
/// calibration 2 N forward and 2 N backward down to the lowest layer measured, in its dtype; N parameters
/// without the embedding's rows.
std::vector<StageForecast> forecastRun(const PlannedRun& run, const ModelConfig& config,
                                       const DataSizes& sizes, const MachineRates& rates);

}  // namespace spd
