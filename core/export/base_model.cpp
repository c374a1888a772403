#include "core/export/base_model.h"

#include "core/base/contained_folder.h"
#include "core/base/error.h"
#include "core/base/strict_json.h"
#include "core/io/adapter/peft_config.h"
#include "core/io/adapter/tensor_names.h"
#include "core/io/adapter_writer.h"
#include "core/io/config/fields.h"
#include "core/io/hub_cache.h"

namespace spd {

ModelLocation locateBase(const std::string& base, const std::filesystem::path& adapter,
                         const std::filesystem::path& workspace) {
    if (!base.empty())
        return locateModel(base, workspace);
    const ContainedFolder folder = ContainedFolder::open(adapter);
    const std::string file = folder.nameOf(kAdapterConfig);
    const nlohmann::ordered_json config =
        parseStrictJson(folder.readFile(kAdapterConfig, most_adapter_config_bytes), file, {});
    if (!config.is_object())
        throw Error::fileFormat(file, "", "must be a JSON object");
    const std::string named = JsonFields(config, file).text("base_model_name_or_path").value_or("");
    if (named.empty())
        throw Error(ErrorKind::invalid_argument,
                    printable(file, 1000) + ": names no base model; --base MODEL says which it is");
    return locateModel(named, workspace);
}

void nameFoundBase(LoraAdapter& adapter, const ModelLocation& base) {
    if (base.revision.empty() && isHubId(adapter.base_model_name_or_path))
        return;
    nameBaseModel(adapter, base);
}

}  // namespace spd
