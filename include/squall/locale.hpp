// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <squall/locale/accept_language.hpp>
#include <squall/locale/interpolate.hpp>
#include <squall/locale/locale.hpp>
#include <squall/locale/translations.hpp>
