# The parts of protect.sh that are about a disk: sourced by it.
# shellcheck shell=bash disable=SC2154  # what protect.sh sets
remove_disk() { :; }
