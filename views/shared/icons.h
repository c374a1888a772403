#pragma once

#include <QIcon>
#include <QString>

namespace spd {

/// An outline icon of resources/icons/NAME.svg in the palette's text colour, drawn sharp at any size and
/// scale; it follows a change of the palette. An unknown name is an empty icon.
QIcon icon(const QString& name);

}  // namespace spd
