#include "core/io/adapter/model_card.h"

#include <fmt/format.h>

#include "core/base/error.h"

namespace spd {
namespace {

using Json = nlohmann::ordered_json;

/// | and line ends would break the table.
std::string cell(const Json& value) {
    std::string text = value.is_string() ? value.get<std::string>()
                                         : value.dump(-1, ' ', false, Json::error_handler_t::replace);
    text = printable(text, 200);
    std::string escaped;
    for (const char c : text) {
        if (c == '|' || c == '<' || c == '`')
            escaped += '\\';
        escaped += c;
    }
    return escaped;
}

void addRows(const Json& object, const std::string& prefix, int depth, std::string& table) {
    for (const auto& [key, value] : object.items()) {
        const std::string name = prefix + printable(key, 60);
        if (value.is_object() && depth < 3)
            addRows(value, name + ".", depth + 1, table);
        else if (value.is_primitive() && !value.is_null())
            table += fmt::format("| {} | {} |\n", name, cell(value));
    }
}

}  // namespace

std::string yamlText(const std::string& text) {
    return Json(text).dump(-1, ' ', /*ensure_ascii=*/true, Json::error_handler_t::replace);
}

std::string provenanceTable(const Json& provenance) {
    std::string table = "| setting | value |\n|---|---|\n";
    addRows(provenance, "", 0, table);
    return table;
}

std::string adapterCard(const LoraAdapter& adapter, const Json& provenance) {
    const std::string base = yamlText(adapter.base_model_name_or_path);
    const std::string revision =
        adapter.revision.empty() ? "" : fmt::format(", revision={}", yamlText(adapter.revision));
    return fmt::format(R"(---
base_model: {0}
base_model_relation: adapter
library_name: peft
pipeline_tag: text-generation
tags:
- lora
- transformers
- self-policy-distillation
---

# LoRA adapter

Made by SPD Workbench. r {2}, alpha {3}, dropout {4}.

```python
import torch
from peft import PeftModel
from transformers import AutoModelForCausalLM

base = AutoModelForCausalLM.from_pretrained({0}{1}, dtype=torch.float32)
model = PeftModel.from_pretrained(base, "PATH_OF_THIS_FOLDER")
```

## How it was made

{5}
spd_provenance.json has all of it.
)",
                       base, revision, adapter.r, adapter.lora_alpha, adapter.lora_dropout,
                       provenanceTable(provenance));
}

}  // namespace spd
