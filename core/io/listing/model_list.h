#pragma once

#include <cstdint>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

namespace spd {

/// A model that lies on this machine, as far as config.json and the names of its files tell.
struct ListedModel {
    std::string model;   ///< what MODEL names it by
    std::string source;  ///< "workspace", "hub" or "folder"
    std::filesystem::path folder;
    std::string revision;      ///< commit of a snapshot of the Hugging Face cache
    std::string architecture;  ///< empty where config.json is not read
    std::string dtype;
    int64_t bytes = 0;    ///< of its weights
    std::string problem;  ///< why it does not load; empty: nothing is known against it

    nlohmann::ordered_json toJson() const;
};

/// Models of WORKSPACE/models (also ORG/NAME there), of the Hugging Face cache, and those of `folders`, in
/// this order, each group by name. What cannot be read is listed with its problem or, where it has no
/// config.json and is in no cache, left out. Names that are no UTF-8 are left out.
std::vector<ListedModel> listModels(const std::filesystem::path& workspace,
                                    const std::vector<std::filesystem::path>& folders);

}  // namespace spd
