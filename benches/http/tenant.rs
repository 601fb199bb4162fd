//! The development tenant that issues all tokens and publishes the keys.

use std::{num::NonZero, thread};

use entra_dev::{DevTenant, Forgery, Options, SignedWith};

pub(crate) struct Tenant(DevTenant);

impl Tenant {
    pub(crate) async fn start() -> Self {
        let options = Options { https_port: None, ..Options::ephemeral() };
        Self(DevTenant::start_with(options).await.unwrap())
    }

    /// `http://localhost:{port}`.
    pub(crate) fn instance(&self) -> &str {
        self.0.base_url()
    }

    /// A token of Uma, who owns the todos.
    pub(crate) fn token(&self) -> String {
        self.0.access_token("uma").unwrap()
    }

    /// A token for each of this many other people.
    pub(crate) fn tokens_of_owners(&self, number: u32) -> Vec<String> {
        let token = |owner: u32| {
            let owner = format!("0b000000-0000-4000-8000-{owner:012}");
            let forgery = Forgery::of("ulf").claim("oid", owner);
            self.0.forge(&forgery).unwrap()
        };
        (0..number).map(token).collect()
    }

    /// Uma's token with a signature that is not the tenant's.
    pub(crate) fn badly_signed_token(&self) -> String {
        self.0.forge(&Forgery::of("uma").signed_with(SignedWith::Stranger)).unwrap()
    }

    /// Different tokens of Uma.
    pub(crate) fn tokens(&self, number: usize) -> Vec<String> {
        let threads = thread::available_parallelism().map_or(1, NonZero::get);
        let sign = |share: usize| -> Vec<_> { (0..share).map(|_| self.token()).collect() };
        thread::scope(|scope| {
            let share = |at| number / threads + usize::from(at < number % threads);
            let signers: Vec<_> =
                (0..threads).map(|at| scope.spawn(move || sign(share(at)))).collect();
            signers.into_iter().flat_map(|signer| signer.join().unwrap()).collect()
        })
    }
}
