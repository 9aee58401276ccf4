//! A program.

mod output;

fn main() {
    output::show(motor::plain::double(21));
}
