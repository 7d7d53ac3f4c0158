# The words of Homebrew's formula language that our formula uses, so that its
# `install` and `test` run where there is no Homebrew:
#
#     ruby words.rb FORMULA SOURCE PREFIX
#
# SOURCE is the unpacked archive. Any other word is an error.

require "fileutils"
require "open3"
require "pathname"
require "tmpdir"

# https://docs.brew.sh/Formula-Cookbook and rubydoc.brew.sh/Formula
class Formula
  include FileUtils

  class << self
    attr_reader :said, :test_block

    %i[desc homepage url sha256 license head depends_on].each do |word|
      define_method(word) { |*values, **named| (@said ||= {})[word] = values + [named] }
    end

    def test(&block)
      @test_block = block
    end
  end

  attr_reader :buildpath, :prefix, :testpath

  def initialize(source, prefix)
    @buildpath = Pathname(source)
    @prefix = Pathname(prefix)
  end

  def bin = prefix/"bin"
  def man1 = prefix/"share/man/man1"
  def man5 = prefix/"share/man/man5"
  def std_cargo_args = ["--locked", "--root=#{prefix}", "--path=."]

  def system(*command)
    puts "== #{command.join(" ")}"
    Kernel.system(*command.map(&:to_s)) or abort "it failed"
  end

  def generate_completions_from_executable(*command)
    { bash: "etc/bash_completion.d/zitadel-credential", zsh: "share/zsh/site-functions/_zitadel-credential",
      fish: "share/fish/vendor_completions.d/zitadel-credential.fish" }.each do |shell, file|
      (prefix/file).dirname.mkpath
      (prefix/file).write run(*command.map(&:to_s), shell.to_s)
    end
  end

  def shell_output(command, expected = 0) = run(command, code: expected)
  def pipe_output(command, input, expected = nil) = run(command, input: input, code: expected)

  def assert_equal(expected, found)
    expected == found or abort "#{expected.inspect} is expected, #{found.inspect} was found"
  end

  def run_install
    Dir.chdir(buildpath) { install }
  end

  def run_test
    Dir.mktmpdir do |directory|
      @testpath = Pathname(directory)
      # Nothing of the machine's own configuration or cache plays a part.
      ENV["HOME"] = directory
      Dir.chdir(directory) { instance_eval(&self.class.test_block) }
    end
  end

  private

  def run(*command, input: "", code: 0)
    output, status = Open3.capture2(*command, stdin_data: input)
    code.nil? || status.exitstatus == code or abort "#{command.join(" ")}: #{status}"
    output
  end
end

# What Homebrew adds to Pathname.
class Pathname
  def install(files)
    mkpath
    files.each { |file| FileUtils.cp(file, self) }
  end

  def install_symlink(links)
    links.each { |target, name| (self/name).make_symlink(Pathname(target).relative_path_from(self)) }
  end
end

formula, source, prefix = ARGV
load formula
built = ZitadelCredential.new(source, prefix)
built.run_install
built.run_test
missing = %i[desc homepage url sha256 license] - ZitadelCredential.said.keys
abort "the formula does not say its #{missing.join(", ")}" unless missing.empty?
