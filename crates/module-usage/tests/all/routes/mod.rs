mod export;
mod ingest;
mod stats;
