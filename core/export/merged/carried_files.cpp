#include "core/export/merged/carried_files.h"

#include <nlohmann/json.hpp>

#include "core/base/contained_folder.h"
#include "core/base/files.h"
#include "core/base/strict_json.h"

namespace spd {
namespace {

constexpr const char* config_file = "config.json";

/// Named one by one: a folder may hold anything, and nothing of it is to travel that nobody asked for.
constexpr const char* carried[] = {"generation_config.json",
                                   "tokenizer.json",
                                   "tokenizer_config.json",
                                   "special_tokens_map.json",
                                   "added_tokens.json",
                                   "vocab.json",
                                   "merges.txt",
                                   "tokenizer.model",
                                   "chat_template.jinja",
                                   "chat_template.json",
                                   "LICENSE",
                                   "LICENSE.txt",
                                   "LICENSE.md",
                                   "NOTICE",
                                   "NOTICE.txt",
                                   "USE_POLICY.md"};

constexpr size_t most_bytes = size_t{256} << 20;

/// transformers 5 writes "dtype", earlier ones "torch_dtype".
std::string withDType(const std::string& text, const std::string& file, DType dtype) {
    nlohmann::ordered_json config = parseStrictJson(text, file, {});
    const bool has_old = config.contains("torch_dtype");
    if (has_old)
        config["torch_dtype"] = name(dtype);
    if (config.contains("dtype") || !has_old)
        config["dtype"] = name(dtype);
    return config.dump(2, ' ', false, nlohmann::ordered_json::error_handler_t::replace) + "\n";
}

}  // namespace

void carryFiles(const Checkpoint& base, std::optional<DType> dtype, const std::filesystem::path& folder) {
    const ContainedFolder from = ContainedFolder::open(base.folder());
    const std::string config = from.readFile(config_file, JsonLimits().max_bytes);
    writeFileAtomically(folder / config_file,
                        dtype ? withDType(config, from.nameOf(config_file), *dtype) : config);
    for (const char* file : carried)
        if (from.has(file))
            writeFileAtomically(folder / file, from.readFile(file, most_bytes));
}

}  // namespace spd
