//! That the Rust, C and Python clients do the same: one table of scenarios, each run with each of them.
//!
//! Owns the table; a driver for each client (`driver/`) takes the same lines and gives the same answers,
//! so that no scenario knows which client it is about.

mod cell;
mod client;
mod crossing;
mod filling;
mod going_on;
mod minute;
mod mistakes;
mod reading;
mod same;
mod stranger;

use client::Client;

/// Each scenario as a test for each client, so that a failure names both.
macro_rules! matrix {
    ($($part:ident: $($scenario:ident)*;)*) => {
        matrix!(for rust is Rust: $($($part::$scenario)*)*);
        matrix!(for c is C: $($($part::$scenario)*)*);
        matrix!(for python is Python: $($($part::$scenario)*)*);
    };
    (for $name:ident is $client:ident: $($part:ident::$scenario:ident)*) => {
        mod $name {
            $(#[test]
            fn $scenario() {
                crate::$part::$scenario(&mut crate::cell::Cell::of(crate::Client::$client));
            })*
        }
    };
}

matrix! {
    reading:
        the_newest_frame_is_whole
        every_frame_comes_in_order_without_a_gap
        what_is_skipped_is_counted
        a_clip_is_the_last_frames_in_order
        the_newest_is_given_again
        without_a_frame_the_time_runs_out
        the_descriptor_is_readable_when_there_is_a_frame
        a_stream_that_comes_later_is_waited_for
        two_subscriptions_in_one_process
        the_streams_are_told_as_the_broker_tells_them;
    mistakes:
        there_is_no_such_stream
        there_is_no_broker
        what_cannot_be_is_refused
        a_broker_of_another_version_is_refused
        more_frames_than_may_be_held
        a_clip_of_more_than_may_be_held
        a_frame_after_its_release;
    going_on:
        a_held_frame_stays_as_it_is_while_the_writer_goes_round
        what_a_killed_client_held_is_free_again
        the_broker_is_restarted
        the_stream_is_removed
        the_stream_is_removed_and_comes_again
        the_layout_is_changed
        its_source_is_killed_and_another_comes;
    filling:
        what_is_published_arrives_with_all_that_is_said_of_it
        frames_that_cannot_lie_so_are_refused
        a_name_that_is_taken_is_refused
        a_frame_that_is_too_long_is_refused_and_its_slot_stays_in_hand
        a_slot_that_is_not_submitted_is_given_again
        its_publisher_is_killed_in_the_middle
        its_publisher_goes_on_when_the_broker_is_back;
}
