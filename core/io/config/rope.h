#pragma once

#include "core/io/config/fields.h"
#include "core/io/model_config.h"

namespace spd {

/// The rotary embedding of a config.json in either spelling: `rope_parameters`, or `rope_theta` beside
/// `rope_scaling` (with `rope_type` or the older `type`). Precedence as transformers 5 has it
/// (modeling_rope_utils.py, convert_rope_params_to_dict): a non-empty rope_scaling, else rope_parameters; the
/// theta inside, else the one beside, else 10,000.
/// @throws Error file_format (C7), unsupported_model (a type other than default and llama3, by name)
RopeConfig readRopeConfig(const JsonFields& config, int64_t max_position_embeddings);

}  // namespace spd
