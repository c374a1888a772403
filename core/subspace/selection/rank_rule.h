#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>

#include "core/subspace/subspace.h"

namespace spd {

/// How many directions of a spectrum a projection keeps.
class RankRule {
public:
    /// "half_dim", "half_numeric", "energy:T" with 0 < T <= 1, a rank R >= 1, a rank for each target
    /// ("11.k=R,11.v=R,..."), or "file:F", a JSON object {"11.k": R, "11.v": R, ...}; empty: half_dim.
    /// @throws Error invalid_argument; not_found, io, file_format for the file
    static RankRule parse(const std::string& text);

    /// The rank that the rule asks for, whatever the numeric rank.
    /// @throws Error file_format (the file has none for this target), invalid_argument (the list has none)
    int64_t rankFor(const KvTarget& target, const Spectrum& spectrum) const;

    /// A number that somebody wrote down: it is refused above the numeric rank, where the others are clipped.
    bool isFixed() const { return kind_ == Kind::fixed || kind_ == Kind::list || kind_ == Kind::file; }
    /// "half_dim", "energy:0.9", "96", "file".
    const std::string& name() const { return name_; }
    /// The rule, or the file, as a message names what asked for a rank.
    std::string source() const;

private:
    enum class Kind { half_dim, half_numeric, energy, fixed, list, file };

    static std::optional<RankRule> fromList(const std::string& text);
    static RankRule fromFile(const std::string& path);

    Kind kind_ = Kind::half_dim;
    std::string name_ = "half_dim";
    double energy_ = 0;
    int64_t fixed_ = 0;
    std::string file_;
    std::map<KvTarget, int64_t> ranks_;  // of the list or the file
};

}  // namespace spd
