#pragma once

#include <QObject>
#include <QSettings>
#include <QTimer>
#include <QVariantMap>

namespace spd {

/// What the window keeps between two starts: how it looks, where it was, what was typed into forms. Nothing
/// that changes a result: that is in the runs. Written 1 s after a change and at the end. GUI thread.
class Settings : public QObject {
    Q_OBJECT

public:
    enum Key {
        kGeometry,
        kSplitters,
        kPage,
        kTheme,
        kEngineCommand,
        kRecentCommands,
        kRunCardShown,
        kFootShown,
        kRecovering,
        kKeyCount
    };
    /// @param path  an ini file; empty: $XDG_CONFIG_HOME/spd-workbench/workbench.ini
    explicit Settings(const QString& path = {});
    ~Settings() override;

    QVariant value(Key key) const;
    void set(Key key, const QVariant& value);
    /// What was typed into a page's form, by the names of its fields.
    QVariantMap form(const QString& page) const;
    void setForm(const QString& page, const QVariantMap& form);
    void saveNow();
    bool waits() const { return save_.isActive(); }

    /// Call before reopening something that may take the window down. @return false when the last start broke
    /// off while it reopened the same: leave it, and say so
    bool beginRecovering(const QString& what);
    /// Call after 30 s of health, and at an orderly end.
    void endRecovering();

Q_SIGNALS:
    void saved();

private:
    void saveSoon();

    QSettings settings_;
    QTimer save_;
};

}  // namespace spd
