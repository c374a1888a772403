#pragma once

#include <filesystem>
#include <nlohmann/json.hpp>

#include "core/io/adapter.h"
#include "core/io/model_locator.h"

namespace spd {

/// The file that says how a folder came about; also the sign by which a folder of ours may be replaced.
inline constexpr const char* kProvenance = "spd_provenance.json";

/// What adapter_config.json calls the base model: repo id and commit of a Hugging Face cache snapshot, else
/// the plain name of the workspace model or folder. Never a path, which would mean nothing on another
/// machine.
void nameBaseModel(LoraAdapter& adapter, const ModelLocation& base);

/// Writes adapter_config.json, adapter_model.safetensors, README.md (model card) and spd_provenance.json as
/// peft 0.21 writes and reads them: float32, keys
/// base_model.model.model.layers.I.self_attn.{q,k,v,o}_proj.lora_{A,B}.weight, metadata format: pt. Ranks and
/// scales that differ from r and lora_alpha / r go into rank_pattern and alpha_pattern; modules that are not
/// on every layer are targeted by their paths. Scales are alpha / r whatever they were read from.
/// @param folder  is there and is nobody else's; write into an AtomicFolder to publish all files at once.
/// @param provenance  an object; goes into spd_provenance.json, and its plain values into the model card.
/// @throws Error internal (a shape that does not fit `config`, a module twice, none at all); io
void writeAdapterFiles(const std::filesystem::path& folder, const LoraAdapter& adapter,
                       const ModelConfig& config, const nlohmann::ordered_json& provenance);

}  // namespace spd
