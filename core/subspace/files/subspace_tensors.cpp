#include "core/subspace/files/subspace_tensors.h"

#include <fmt/format.h>

#include <array>
#include <cmath>
#include <set>

#include "core/base/error.h"
#include "core/base/machine.h"
#include "core/base/philox.h"
#include "core/io/safetensors/file.h"
#include "core/io/safetensors/writer.h"
#include "core/subspace/spectrum.h"

namespace spd {
namespace {

using RowMajor = Eigen::Matrix<double, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;

enum class Part { singular_values, right_singular_vectors, gram };
constexpr std::array parts = {Part::singular_values, Part::right_singular_vectors, Part::gram};

/// Largest relative error that is taken for rounding in vectors and Gram matrix.
constexpr double tolerance = 1e-6;

std::string tensorName(const KvTarget& target, Part part) {
    constexpr std::array names = {"singular_values", "right_singular_vectors", "gram"};
    return fmt::format("layers.{}.{}.{}", target.layer, name(target.stream),
                       names[static_cast<size_t>(part)]);
}

/// @param width  of a head; where there is one basis, of all of them together.
std::vector<int64_t> shapeOf(Part part, bool per_head, int64_t heads, int64_t width) {
    std::vector<int64_t> shape = {width};
    if (part != Part::singular_values)
        shape.push_back(width);
    if (per_head)
        shape.insert(shape.begin(), heads);
    return shape;
}

RowMajor valuesOf(const Spectrum& spectrum, Part part) {
    switch (part) {
        case Part::singular_values:
            return spectrum.singular_values.transpose();
        case Part::right_singular_vectors:
            return spectrum.right_singular_vectors;
        case Part::gram:
            break;
    }
    return spectrum.gram;
}

/// Standard normal numbers would do as well; these are cheap and nobody's file was made to fit them.
Eigen::MatrixXd probes(Eigen::Index width) {
    constexpr Eigen::Index count = 4;
    std::vector<uint32_t> words(static_cast<size_t>(width * count + 3) / 4 * 4);
    philoxFill(0x5bd1e995, {0, 0, 0, 0}, words);
    Eigen::MatrixXd matrix(width, count);
    for (Eigen::Index i = 0; i < matrix.size(); ++i)
        matrix(i) = static_cast<double>(words[static_cast<size_t>(i)]) * 0x1p-31 - 1;
    return matrix;
}

/// Reads the tensors of one file and refuses what is wrong with them.
class TensorReader {
public:
    TensorReader(const SafetensorsFile& file, const Subspace& subspace)
        : file_(file), per_head_(subspace.per_head) {
        for (const TensorEntry& tensor : file.header().tensors)
            entries_[tensor.name] = &tensor;
        std::set<std::string> expected;
        for (const auto& [target, measured] : subspace.targets)
            for (const Part part : parts)
                expected.insert(tensorName(target, part));
        for (const auto& [tensor, entry] : entries_)
            if (!expected.contains(tensor))
                refuse(tensor, "subspace.json has no such target");
    }

    /// The parts of a target into its spectra, each checked by itself.
    void read(const KvTarget& target, std::initializer_list<Part> wanted, TargetSubspace& measured) const {
        const auto heads = static_cast<int64_t>(measured.heads.size());
        const Eigen::Index width = measured.heads.front().split_half_overlap.size();
        for (const Part part : wanted) {
            checkEntry(tensorName(target, part), shapeOf(part, per_head_, heads, width));
            for (int64_t i = 0; i < heads; ++i)
                readPart(target, part, i, width, measured.heads[static_cast<size_t>(i)]);
        }
    }

    void readAll(const KvTarget& target, TargetSubspace& measured) const {
        read(target, {Part::singular_values, Part::right_singular_vectors, Part::gram}, measured);
        for (const Spectrum& head : measured.heads)
            checkGram(target, head);
    }

private:
    [[noreturn]] void refuse(const std::string& tensor, std::string_view rule) const {
        throw Error::fileFormat(file_.name(), fmt::format("tensor \"{}\"", printable(tensor, 160)), rule);
    }

    void checkEntry(const std::string& tensor, const std::vector<int64_t>& shape) const {
        const auto found = entries_.find(tensor);
        if (found == entries_.end())
            refuse(tensor, "is missing");
        if (found->second->type != ElementType::f64)
            refuse(tensor, fmt::format("is stored as {}, must be F64", spd::name(found->second->type)));
        if (found->second->shape != shape)
            refuse(tensor, fmt::format("has shape {}, subspace.json asks for {}",
                                       shapeText(found->second->shape), shapeText(shape)));
    }

    RowMajor values(const KvTarget& target, Part part, int64_t head, Eigen::Index rows,
                    Eigen::Index columns) const {
        const std::string tensor = tensorName(target, part);
        RowMajor matrix(rows, columns);
        const auto bytes = static_cast<uint64_t>(matrix.size()) * sizeof(double);
        file_.read(*entries_.at(tensor), static_cast<uint64_t>(head) * bytes, bytes, matrix.data());
        if (!matrix.allFinite())
            refuse(tensor, "holds NaN or infinite values");
        return matrix;
    }

    void readPart(const KvTarget& target, Part part, int64_t head, Eigen::Index width,
                  Spectrum& spectrum) const {
        switch (part) {
            case Part::singular_values:
                spectrum.singular_values = values(target, part, head, 1, width).transpose();
                checkValues(target, spectrum);
                checkRanks(target, spectrum);
                break;
            case Part::right_singular_vectors:
                spectrum.right_singular_vectors = values(target, part, head, width, width);
                checkVectors(target, spectrum);
                break;
            case Part::gram:
                spectrum.gram = values(target, part, head, width, width);
                break;
        }
    }

    void checkValues(const KvTarget& target, const Spectrum& head) const {
        const Eigen::VectorXd& s = head.singular_values;
        for (Eigen::Index i = 0; i < s.size(); ++i)
            if (s(i) < 0 || (i > 0 && s(i) > s(i - 1)))
                refuse(tensorName(target, Part::singular_values),
                       fmt::format("element {} is {}: they must descend and not be negative", i, s(i)));
    }

    /// Products with a few vectors tell as much as whole matrix products, which for all layers of a large
    /// model would take minutes.
    void checkVectors(const KvTarget& target, const Spectrum& head) const {
        const Eigen::MatrixXd& v = head.right_singular_vectors;
        const Eigen::MatrixXd x = probes(v.cols());
        if (!((v.transpose() * (v * x) - x).norm() <= tolerance * x.norm()))
            refuse(tensorName(target, Part::right_singular_vectors), "the rows are not orthonormal");
    }

    void checkGram(const KvTarget& target, const Spectrum& head) const {
        const Eigen::VectorXd& s = head.singular_values;
        const Eigen::MatrixXd& v = head.right_singular_vectors;
        const Eigen::MatrixXd x = probes(s.size());
        const Eigen::MatrixXd squares = s.cwiseAbs2().asDiagonal() * (v * x);
        const double scale = s(0) * s(0) * x.norm();
        if (!((v.transpose() * squares - head.gram * x).norm() <= tolerance * scale) ||
            !((head.gram - head.gram.transpose()).cwiseAbs().maxCoeff() <= tolerance * s(0) * s(0)))
            refuse(tensorName(target, Part::gram), "is not the one of these singular values and vectors");
    }

    void checkRanks(const KvTarget& target, const Spectrum& head) const {
        Spectrum computed;
        computed.singular_values = head.singular_values;
        setRanks(computed);
        const auto near = [](double a, double b) { return std::abs(a - b) <= tolerance * (1 + std::abs(b)); };
        if (head.numeric_rank != computed.numeric_rank ||
            !near(head.effective_rank, computed.effective_rank) ||
            !near(head.stable_rank, computed.stable_rank))
            refuse(tensorName(target, Part::singular_values),
                   fmt::format("have numeric rank {}, effective rank {:.6g} and stable rank {:.6g}, "
                               "subspace.json says {}, {:.6g} and {:.6g}",
                               computed.numeric_rank, computed.effective_rank, computed.stable_rank,
                               head.numeric_rank, head.effective_rank, head.stable_rank));
    }

    const SafetensorsFile& file_;
    bool per_head_;
    std::map<std::string, const TensorEntry*> entries_;
};

/// A sparse file costs nobody anything until it is read.
void requireMemory(const SafetensorsFile& file) {
    uint64_t bytes = 0;
    for (const TensorEntry& tensor : file.header().tensors)
        bytes += tensor.bytes();
    if (const int64_t available = readMachine().memory_available; bytes > static_cast<uint64_t>(available))
        throw Error(ErrorKind::out_of_memory,
                    fmt::format("{}: takes {} MiB, {} MiB are free", printable(file.name(), 1000),
                                bytes >> 20, available >> 20));
}

}  // namespace

void writeSubspaceTensors(const std::filesystem::path& path, const Subspace& subspace) {
    std::vector<TensorInfo> tensors;
    std::map<std::string, std::pair<const TargetSubspace*, Part>> places;
    for (const auto& [target, measured] : subspace.targets)
        for (const Part part : parts) {
            const std::string tensor = tensorName(target, part);
            tensors.push_back({tensor, ElementType::f64,
                               shapeOf(part, subspace.per_head, static_cast<int64_t>(measured.heads.size()),
                                       measured.heads.front().singular_values.size())});
            places[tensor] = {&measured, part};
        }
    SafetensorsWriter writer(path, std::move(tensors), {{"format", "pt"}});
    for (const TensorInfo& tensor : writer.order()) {
        const auto& [measured, part] = places.at(tensor.name);
        for (const Spectrum& head : measured->heads) {
            const RowMajor values = valuesOf(head, part);
            writer.append(values.data(), static_cast<uint64_t>(values.size()) * sizeof(double));
        }
    }
    writer.commit();
}

void readSubspaceTensors(const ContainedFolder& folder, const std::string& name, Subspace& subspace) {
    const SafetensorsFile file = SafetensorsFile::open(folder, name);
    const TensorReader reader(file, subspace);
    requireMemory(file);
    for (auto& [target, measured] : subspace.targets)
        reader.readAll(target, measured);
    file.checkUnchanged(folder);
}

void readSingularValues(const ContainedFolder& folder, const std::string& name, Subspace& subspace) {
    const SafetensorsFile file = SafetensorsFile::open(folder, name);
    const TensorReader reader(file, subspace);
    for (auto& [target, measured] : subspace.targets)
        reader.read(target, {Part::singular_values}, measured);
    file.checkUnchanged(folder);
}

void readSingularVectors(const ContainedFolder& folder, const std::string& name, const KvTarget& target,
                         Subspace& subspace) {
    const SafetensorsFile file = SafetensorsFile::open(folder, name);
    TensorReader(file, subspace).read(target, {Part::right_singular_vectors}, subspace.targets.at(target));
    file.checkUnchanged(folder);
}

}  // namespace spd
