#!/usr/bin/env bash
# Calls apt-get for packages of another release of Debian. All that it reads and writes is in
# DIRECTORY, so it neither sees nor changes the packages of this system:
#
#     tests/clients/apt.sh DIRECTORY SOURCES ARGUMENTS…
#
# SOURCES is a file as in /etc/apt/sources.list.d; a new directory gets its lists. The suite
# has one version of a package at a time, so no version is given. apt checks each file
# against the suite's signed list.
set -euo pipefail
directory=$(realpath "$1")
apt=(apt-get -qq -o "Dir::Etc::SourceList=$(realpath "$2")" -o Dir::Etc::SourceParts=/dev/null
  -o "Dir::State::Lists=$directory/lists" -o "Dir::State::Status=$directory/status"
  -o "Dir::Cache=$directory/cache" -o APT::Sandbox::User=root -o APT::Install-Recommends=false)
shift 2
if [[ ! -e $directory/status ]]; then
  mkdir -p "$directory"/{lists,cache/archives}/partial
  : >"$directory/status"
  "${apt[@]}" update
fi
exec "${apt[@]}" "$@"
