#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>
#include <optional>
#include <set>
#include <string>
#include <vector>

namespace spd::protocol {

/// Reads the params of a request one by one; what is missing, of another type or was never asked for is
/// refused by its name. Every getter @throws Refusal invalid_params
class Params {
public:
    /// @param json  an object; must outlive this.
    explicit Params(const nlohmann::ordered_json& json) : json_(json) {}

    std::string text(const std::string& key);
    std::string text(const std::string& key, const std::string& otherwise);
    int64_t integer(const std::string& key);
    int64_t integer(const std::string& key, int64_t otherwise);
    double number(const std::string& key, double otherwise);
    bool flag(const std::string& key, bool otherwise);
    std::vector<std::string> texts(const std::string& key);  ///< empty when missing
    std::optional<double> optionalNumber(const std::string& key);
    std::optional<int64_t> optionalInteger(const std::string& key);
    /// An object; an empty one when missing.
    nlohmann::ordered_json object(const std::string& key);
    bool has(const std::string& key);

    /// Call after the last getter: a key that none asked for is a mistake.
    void refuseOthers() const;

private:
    const nlohmann::ordered_json* find(const std::string& key);
    const nlohmann::ordered_json& require(const std::string& key);

    const nlohmann::ordered_json& json_;
    std::set<std::string> asked_;
};

}  // namespace spd::protocol
