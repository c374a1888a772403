#pragma once

#include <nlohmann/json.hpp>
#include <string>

#include "core/io/adapter.h"

namespace spd {

/// README.md of an adapter folder: the hub's front matter (library_name: peft, base_model), how to load it,
/// and what it was made with.
std::string adapterCard(const LoraAdapter& adapter, const nlohmann::ordered_json& provenance);

/// The plain values of `provenance` as a Markdown table, "stage.setting" for those of objects in it; long
/// lists are left to spd_provenance.json.
std::string provenanceTable(const nlohmann::ordered_json& provenance);

/// A text in double quotes as YAML and JSON both read it.
std::string yamlText(const std::string& text);

}  // namespace spd
